import type { ProducerCodecOptions, RtpEncodingParameters } from 'mediasoup-client/types';
import type { Source } from '../../protocol/calls.ts';

/** Height of the camera's picture at full size, in pixels. Narrower cameras scale the ladder down with them. */
export const CAMERA_HEIGHT = 720;

/**
 * The camera's three simulcast layers, smallest first, as quarter, half and full size. The bitrates are what VP8 needs
 * for a talking head at 320x180, 640x360 and 1280x720 and 30 frames a second.
 */
const CAMERA: readonly RtpEncodingParameters[] = [
  { scaleResolutionDownBy: 4, maxBitrate: 150_000, scalabilityMode: 'L1T3' },
  { scaleResolutionDownBy: 2, maxBitrate: 500_000, scalabilityMode: 'L1T3' },
  { scaleResolutionDownBy: 1, maxBitrate: 1_500_000, scalabilityMode: 'L1T3' },
];

/** A screen is for reading: the full size, and half of it for whoever's line cannot carry that. */
const SCREEN: readonly RtpEncodingParameters[] = [
  { scaleResolutionDownBy: 2, maxBitrate: 500_000, maxFramerate: 10, scalabilityMode: 'L1T3' },
  { scaleResolutionDownBy: 1, maxBitrate: 3_000_000, maxFramerate: 30, scalabilityMode: 'L1T3' },
];

/** Speech: DTX sends next to nothing in silence, in-band FEC (RFC 6716 section 2.1.7) hides single lost packets. */
const SPEECH: ProducerCodecOptions = { opusDtx: true, opusFec: true, opusStereo: false, opusMaxAverageBitrate: 32_000 };
/** What a shared screen plays may be music: stereo, and no gaps cut by DTX. */
const PROGRAMME: ProducerCodecOptions = {
  opusDtx: false,
  opusFec: true,
  opusStereo: true,
  opusMaxAverageBitrate: 96_000,
};

export interface SendSettings {
  readonly encodings?: RtpEncodingParameters[];
  readonly codecOptions?: ProducerCodecOptions;
}

/**
 * How a source is encoded. The objects are fresh, since mediasoup-client writes into the encodings. Layers of the camera
 * above `topLayer` (null: none) do not begin: the server would take a layer that began and stopped for one that it can
 * forward, and ask in vain for its key frame for a second.
 */
export function sendSettings(source: Source, topLayer: number | null): SendSettings {
  switch (source) {
    case 'microphone':
      return { codecOptions: { ...SPEECH } };
    case 'screen-audio':
      return { codecOptions: { ...PROGRAMME } };
    case 'camera':
      return {
        encodings: CAMERA.map((layer, index) => ({ ...layer, active: index <= (topLayer ?? index) })),
        codecOptions: { videoGoogleStartBitrate: 1000 },
      };
    case 'screen':
      return { encodings: SCREEN.map((layer) => ({ ...layer })), codecOptions: { videoGoogleStartBitrate: 1000 } };
  }
}

/** How many simulcast layers a video source is sent in. */
export function layerCount(source: 'camera' | 'screen'): number {
  return source === 'camera' ? CAMERA.length : SCREEN.length;
}

/** Machines with fewer cores than this have no room for encoding more than they must. */
const PLENTY_OF_CORES = 6;

/**
 * The highest layer of its camera that a machine sends. While nobody else is there, the smallest keeps the picture ready.
 * In a group everybody's tile is small, so that the full size would be encoded mostly for nobody, and decoding the
 * others takes its share: a small machine leaves it out.
 * @param input.participants people in the call, oneself included
 */
export function topCameraLayer({
  cores,
  participants,
}: {
  readonly cores: number;
  readonly participants: number;
}): number {
  if (participants < 2) return 0;
  return cores < PLENTY_OF_CORES && participants > 2 ? CAMERA.length - 2 : CAMERA.length - 1;
}
