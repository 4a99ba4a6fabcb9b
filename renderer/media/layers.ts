import { CAMERA_HEIGHT, layerCount } from './encodings.ts';

/** The size at which a picture is shown, in device pixels. */
export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

export interface PreferredLayers {
  readonly spatialLayer: number;
  readonly temporalLayer: number;
}

/** A picture may be stretched this much before the next layer is worth its bitrate. */
const STRETCH = 1.3;
/** All temporal layers: 30 frames a second; without the top one 15. */
const EVERY_FRAME = 2;
const HALF_THE_FRAMES = 1;
/** Below this height a smooth picture is wasted on the eye. Device pixels. */
const TINY = 100;

/**
 * The smallest simulcast layer that fills a picture of this size; layers double in size from one to the next. A shared
 * screen is always asked for in full unless it is shown as a thumbnail, since its text must stay readable.
 */
export function chooseLayers(source: 'camera' | 'screen', size: PixelSize): PreferredLayers {
  const top = layerCount(source) - 1;
  if (source === 'screen')
    return { spatialLayer: size.height <= CAMERA_HEIGHT / 4 ? 0 : top, temporalLayer: EVERY_FRAME };
  // The picture fills its tile (object-fit: cover), so a wide tile needs more lines than its own height.
  const lines = Math.max(size.height, (size.width * 9) / 16);
  let spatialLayer = 0;
  for (let height = CAMERA_HEIGHT / 2 ** top; spatialLayer < top && lines > height * STRETCH; height *= 2) {
    spatialLayer += 1;
  }
  return { spatialLayer, temporalLayer: lines < TINY ? HALF_THE_FRAMES : EVERY_FRAME };
}
