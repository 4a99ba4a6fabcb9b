import { CAMERA_HEIGHT } from './encodings.ts';

/** Why a microphone, camera or screen could not be had. */
export type CaptureProblem = 'permission' | 'missing' | 'busy';

/** Capturing failed; `problem` is what the person can do something about. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
  readonly problem: CaptureProblem;

  constructor(problem: CaptureProblem, options?: ErrorOptions) {
    super(`capture failed: ${problem}`, options);
    this.problem = problem;
  }
}

/** What of the browser's MediaDevices is used here; tests pass their own. */
export type MediaDevicesPort = Pick<
  MediaDevices,
  'getUserMedia' | 'getDisplayMedia' | 'enumerateDevices' | 'addEventListener' | 'removeEventListener'
>;

/** Whether a device must be this very one (the person just chose it) or may be another if it is not there. */
export interface DeviceWish {
  /** Empty: the system's default. */
  readonly deviceId: string;
  readonly exact: boolean;
}

export interface CaptureWishes {
  readonly microphone?: DeviceWish;
  readonly camera?: DeviceWish;
}

export interface Captured {
  readonly microphone: MediaStreamTrack | null;
  readonly camera: MediaStreamTrack | null;
  /** The first thing that could not be had, if any. */
  readonly problem: CaptureProblem | null;
}

/**
 * Opens what is wished in one go, so that the browser asks once; where that fails, each by itself, so that a missing
 * camera does not cost the voice. Never rejects.
 */
export async function capture(devices: MediaDevicesPort | undefined, wishes: CaptureWishes): Promise<Captured> {
  // Undefined outside a secure context (https or localhost).
  if (devices === undefined) return { microphone: null, camera: null, problem: 'permission' };
  if (wishes.microphone && wishes.camera) {
    try {
      const stream = await devices.getUserMedia({
        audio: audioConstraints(wishes.microphone),
        video: videoConstraints(wishes.camera),
      });
      return {
        microphone: firstOf(stream.getAudioTracks()),
        camera: hinted(firstOf(stream.getVideoTracks()), 'motion'),
        problem: null,
      };
    } catch {
      // Which of the two it was is found below.
    }
  }
  const microphone = wishes.microphone ? await settle(openMicrophone(devices, wishes.microphone)) : NOTHING;
  const camera = wishes.camera ? await settle(openCamera(devices, wishes.camera)) : NOTHING;
  return { microphone: microphone.track, camera: camera.track, problem: microphone.problem ?? camera.problem };
}

/** Rejects with CaptureError. */
export async function openMicrophone(devices: MediaDevicesPort, wish: DeviceWish): Promise<MediaStreamTrack> {
  const stream = await asking(devices.getUserMedia({ audio: audioConstraints(wish) }));
  return required(firstOf(stream.getAudioTracks()));
}

/** Rejects with CaptureError. */
export async function openCamera(devices: MediaDevicesPort, wish: DeviceWish): Promise<MediaStreamTrack> {
  const stream = await asking(devices.getUserMedia({ video: videoConstraints(wish) }));
  return required(hinted(firstOf(stream.getVideoTracks()), 'motion'));
}

export interface CapturedScreen {
  readonly video: MediaStreamTrack;
  /** What the shared tab or system plays, where the browser offers it and the person agreed. */
  readonly audio: MediaStreamTrack | null;
}

/** Lets the person choose a screen, window or tab; null if they chose none. Rejects with CaptureError. */
export async function openScreen(devices: MediaDevicesPort): Promise<CapturedScreen | null> {
  let stream: MediaStream;
  try {
    stream = await devices.getDisplayMedia(SCREEN_OPTIONS);
  } catch (error) {
    // The browser has one answer for "cancelled" and "forbidden". The person knows which of the two it was.
    if (problemOf(error) === 'permission') return null;
    throw new CaptureError(problemOf(error), { cause: error });
  }
  const video = hinted(firstOf(stream.getVideoTracks()), 'detail');
  return { video: required(video), audio: hinted(firstOf(stream.getAudioTracks()), 'music') };
}

/** What a rejection of getUserMedia or getDisplayMedia means (Media Capture and Streams, section 10.3). */
export function problemOf(error: unknown): CaptureProblem {
  if (error instanceof CaptureError) return error.problem;
  switch (error instanceof Error || error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
    case 'SecurityError':
    case 'InvalidStateError':
      return 'permission';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    default:
      return 'busy';
  }
}

/** `restrictOwnAudio` (Screen Capture, 2025) keeps the call's own voices out of what is shared; unknown to lib.dom. */
const SCREEN_AUDIO: MediaTrackConstraints & { restrictOwnAudio: boolean } = {
  echoCancellation: false,
  noiseSuppression: false,
  autoGainControl: false,
  restrictOwnAudio: true,
};
const SCREEN_OPTIONS: DisplayMediaStreamOptions &
  Record<'selfBrowserSurface' | 'surfaceSwitching' | 'systemAudio', string> = {
  video: { frameRate: { max: 30 } },
  audio: SCREEN_AUDIO,
  selfBrowserSurface: 'exclude',
  surfaceSwitching: 'include',
  systemAudio: 'include',
};

function audioConstraints(wish: DeviceWish): MediaTrackConstraints {
  return { ...wished(wish), echoCancellation: true, noiseSuppression: true, autoGainControl: true };
}

function videoConstraints(wish: DeviceWish): MediaTrackConstraints {
  return {
    ...wished(wish),
    width: { ideal: (CAMERA_HEIGHT * 16) / 9 },
    height: { ideal: CAMERA_HEIGHT },
    frameRate: { ideal: 30, max: 30 },
  };
}

function wished({ deviceId, exact }: DeviceWish): MediaTrackConstraints {
  if (deviceId === '') return {};
  return { deviceId: exact ? { exact: deviceId } : { ideal: deviceId } };
}

interface Settled {
  readonly track: MediaStreamTrack | null;
  readonly problem: CaptureProblem | null;
}
const NOTHING: Settled = { track: null, problem: null };

async function settle(opening: Promise<MediaStreamTrack>): Promise<Settled> {
  try {
    return { track: await opening, problem: null };
  } catch (error) {
    return { track: null, problem: problemOf(error) };
  }
}

async function asking(stream: Promise<MediaStream>): Promise<MediaStream> {
  try {
    return await stream;
  } catch (error) {
    throw new CaptureError(problemOf(error), { cause: error });
  }
}

function firstOf(tracks: readonly MediaStreamTrack[]): MediaStreamTrack | null {
  return tracks[0] ?? null;
}

function required(track: MediaStreamTrack | null): MediaStreamTrack {
  if (track === null) throw new CaptureError('missing');
  return track;
}

function hinted(track: MediaStreamTrack | null, hint: 'motion' | 'detail' | 'music'): MediaStreamTrack | null {
  if (track !== null) track.contentHint = hint;
  return track;
}
