import { MAX_FRAME_BYTES } from '../../protocol/frames.ts';

/** Whether a frame has more bytes of UTF-8 than the other side takes. Counts them only where it is near. */
export function isTooLong(frame: string): boolean {
  return frame.length * 3 > MAX_FRAME_BYTES && Buffer.byteLength(frame) > MAX_FRAME_BYTES;
}
