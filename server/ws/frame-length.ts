import { MAX_FRAME_BYTES } from '../../protocol/frames.ts';

/** Whether a frame has more bytes of UTF-8 than the other side takes. Counts them only where it is near. */
export function isTooLong(...parts: readonly (string | Buffer)[]): boolean {
  let most = 0;
  for (const part of parts) most += typeof part === 'string' ? part.length * 3 : part.length;
  return most > MAX_FRAME_BYTES && parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0) > MAX_FRAME_BYTES;
}
