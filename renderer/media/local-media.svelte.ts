import type { Source } from '../../protocol/calls.ts';
import {
  capture,
  openCamera,
  openMicrophone,
  openScreen,
  problemOf,
  type CaptureProblem,
  type DeviceWish,
  type MediaDevicesPort,
} from './capture.ts';
import {
  listDevices,
  NO_DEVICES,
  recallChoice,
  rememberChoice,
  type ChoiceStorage,
  type ChosenDevices,
  type DeviceKind,
  type DeviceLists,
} from './device-choice.ts';

/** What is to be sent of one source: nothing, a track, or a track that is held back. */
export interface SourceState {
  readonly track: MediaStreamTrack | null;
  readonly paused: boolean;
}

export interface LocalMediaOptions {
  /** `navigator.mediaDevices`, which a page outside a secure context does not have. */
  readonly devices: MediaDevicesPort | undefined;
  readonly storage: ChoiceStorage | null;
}

/**
 * One's own microphone, camera and screen for as long as a call lasts. It alone opens and stops tracks, so they survive
 * the transports that carry them: a call that reconnects neither blinks nor asks again. Reactive.
 */
export class LocalMedia {
  #tracks = $state.raw<Readonly<Record<Source, MediaStreamTrack | null>>>(NO_TRACKS);
  #muted = $state(false);
  #cameraOn = $state(false);
  #problem = $state<CaptureProblem | null>(null);
  #lists = $state.raw<DeviceLists>(NO_DEVICES);
  #chosen = $state.raw<ChosenDevices>({ microphone: '', camera: '', speaker: '' });
  #open = false;
  /** Rises with each `stop`, so that what was asked for before it is released on arrival. */
  #generation = 0;
  /** One change at a time: two quick clicks on a button must not open two cameras. */
  #queue: Promise<unknown> = Promise.resolve();
  #listener: (source: Source) => void = () => {};
  readonly #devices: MediaDevicesPort | undefined;
  readonly #storage: ChoiceStorage | null;
  readonly #devicesChanged = () => void this.#refreshDevices(true);

  constructor({ devices, storage }: LocalMediaOptions) {
    this.#devices = devices;
    this.#storage = storage;
    this.#chosen = recallChoice(storage);
  }

  get muted(): boolean {
    return this.#muted;
  }
  get cameraOn(): boolean {
    return this.#cameraOn;
  }
  get sharing(): boolean {
    return this.#tracks.screen !== null;
  }
  get problem(): CaptureProblem | null {
    return this.#problem;
  }
  get lists(): DeviceLists {
    return this.#lists;
  }
  get chosen(): ChosenDevices {
    return this.#chosen;
  }

  track(source: Source): MediaStreamTrack | null {
    return this.#tracks[source];
  }

  state(source: Source): SourceState {
    const track = this.#tracks[source];
    return { track, paused: track === null || (source === 'microphone' && this.#muted) };
  }

  /** Calls `listener` with each source that is to be sent otherwise than before. */
  onChange(listener: (source: Source) => void): void {
    this.#listener = listener;
  }

  /** Opens the microphone, and the camera if wanted. Never rejects: what is missing is told by `problem`. */
  async open(wanted: { readonly camera: boolean }): Promise<void> {
    const generation = this.#generation;
    this.#open = true;
    this.#cameraOn = wanted.camera;
    this.#devices?.addEventListener('devicechange', this.#devicesChanged);
    await this.#next(async () => {
      const got = await capture(this.#devices, {
        microphone: this.#wish('microphone'),
        ...(wanted.camera ? { camera: this.#wish('camera') } : {}),
      });
      if (generation !== this.#generation) return release(got.microphone, got.camera);
      this.#problem = got.problem;
      if (got.microphone === null) this.#muted = true;
      this.#cameraOn = got.camera !== null;
      this.#set('microphone', got.microphone);
      this.#set('camera', got.camera);
    });
    await this.#refreshDevices(false);
  }

  async setMuted(muted: boolean): Promise<void> {
    // At once, and not after what is queued: muting must never wait.
    if (muted || this.#tracks.microphone !== null) this.#mute(muted);
    if (muted || this.#tracks.microphone !== null) return;
    await this.#next(() =>
      this.#attempt(async () => {
        const track = this.#tracks.microphone ?? (await this.#openOwn('microphone', false));
        if (track === null) return;
        this.#mute(false);
        this.#set('microphone', track);
      }),
    );
  }

  /** Off really stops the camera, so that its light goes out. */
  async setCamera(on: boolean): Promise<void> {
    this.#cameraOn = on;
    await this.#next(async () => {
      if (!on) return this.#set('camera', null);
      if (this.#tracks.camera !== null) return;
      const opened = await this.#attempt(async () => this.#set('camera', await this.#openOwn('camera', false)));
      if (!opened) this.#cameraOn = false;
    });
  }

  async setSharing(on: boolean): Promise<void> {
    const devices = this.#devices;
    await this.#next(async () => {
      if (!on) return this.#stopSharing();
      if (devices === undefined || this.#tracks.screen !== null) return;
      const generation = this.#generation;
      const screen = await openScreen(devices).catch(() => null);
      if (screen === null) return;
      if (generation !== this.#generation) return release(screen.video, screen.audio);
      this.#set('screen', screen.video);
      this.#set('screen-audio', screen.audio);
    });
  }

  /** Uses another device from now on, and remembers it. Falls back to the present one if it cannot be opened. */
  async choose(kind: DeviceKind, deviceId: string): Promise<void> {
    const before = this.#chosen;
    this.#chosen = { ...before, [kind]: deviceId };
    if (kind !== 'speaker' && this.#tracks[kind] !== null) {
      const changed = await this.#next(() =>
        this.#attempt(async () => this.#set(kind, await this.#openOwn(kind, deviceId !== ''))),
      );
      if (!changed) {
        this.#chosen = before;
        return;
      }
    }
    rememberChoice(this.#storage, this.#chosen);
  }

  /** Releases every device. */
  stop(): void {
    this.#generation += 1;
    this.#open = false;
    this.#devices?.removeEventListener('devicechange', this.#devicesChanged);
    release(...Object.values(this.#tracks));
    this.#tracks = NO_TRACKS;
    this.#muted = false;
    this.#cameraOn = false;
    this.#problem = null;
  }

  #wish(kind: 'microphone' | 'camera', exact = false): DeviceWish {
    return { deviceId: this.#chosen[kind], exact };
  }

  /** Null when the call ended meanwhile. Rejects with CaptureError. */
  async #openOwn(kind: 'microphone' | 'camera', exact: boolean): Promise<MediaStreamTrack | null> {
    const generation = this.#generation;
    const devices = this.#devices;
    if (devices === undefined) return null;
    const open = kind === 'microphone' ? openMicrophone : openCamera;
    const track = await open(devices, this.#wish(kind, exact));
    if (generation === this.#generation) return track;
    release(track);
    return null;
  }

  /** Runs what may fail for want of a device; says why in `problem`. */
  async #attempt(work: () => Promise<void>): Promise<boolean> {
    const generation = this.#generation;
    try {
      await work();
      this.#problem = null;
      return true;
    } catch (error) {
      if (generation === this.#generation) this.#problem = problemOf(error);
      return false;
    }
  }

  #mute(muted: boolean): void {
    this.#muted = muted;
    const track = this.#tracks.microphone;
    if (track !== null) track.enabled = !muted;
    this.#listener('microphone');
  }

  #set(source: Source, track: MediaStreamTrack | null): void {
    const before = this.#tracks[source];
    if (before === track) return;
    this.#tracks = { ...this.#tracks, [source]: track };
    if (source === 'microphone' && track !== null) track.enabled = !this.#muted;
    track?.addEventListener('ended', () => this.#ended(source, track), { once: true });
    this.#listener(source);
    release(before);
  }

  #stopSharing(): void {
    this.#set('screen', null);
    this.#set('screen-audio', null);
  }

  /** The device was unplugged, taken away, or the browser's own "stop sharing" was pressed. */
  #ended(source: Source, track: MediaStreamTrack): void {
    if (this.#tracks[source] !== track) return;
    if (source === 'screen') return this.#stopSharing();
    this.#set(source, null);
    if (source === 'camera') {
      this.#cameraOn = false;
      this.#problem = 'missing';
    }
    if (source === 'microphone') void this.#replaceMicrophone();
  }

  /** Goes on with whatever microphone there is, in the state (muted or not) the lost one was in. */
  async #replaceMicrophone(): Promise<void> {
    await this.#next(() =>
      this.#attempt(async () => {
        if (this.#tracks.microphone === null) this.#set('microphone', await this.#openOwn('microphone', false));
      }),
    );
  }

  async #refreshDevices(plugged: boolean): Promise<void> {
    const generation = this.#generation;
    const lists = await listDevices(this.#devices);
    if (generation !== this.#generation) return;
    this.#lists = lists;
    const lacking = this.#open && this.#problem !== null && this.#problem !== 'permission';
    if (plugged && lacking && this.#tracks.microphone === null && lists.microphone.length > 0)
      await this.#replaceMicrophone();
  }

  #next<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {});
    return result;
  }
}

const NO_TRACKS: Readonly<Record<Source, MediaStreamTrack | null>> = {
  microphone: null,
  camera: null,
  screen: null,
  'screen-audio': null,
};

function release(...tracks: readonly (MediaStreamTrack | null)[]): void {
  for (const track of tracks) track?.stop();
}
