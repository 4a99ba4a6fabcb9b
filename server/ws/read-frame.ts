import { ProtocolError } from '../../protocol/errors.ts';
import { RequestFrame } from '../../protocol/frames.ts';
import { SMALL, type FrameCost } from './frame-cost.ts';
import { invalidRequest } from './issues.ts';
import { LIMITS } from './limits.ts';

/** The beginning of a frame as clients write it, read without reading the rest. */
export interface Head {
  readonly id: number;
  readonly method: string;
}

/** As long as the longest beginning of the form above. */
const HEAD_BYTES = 128;
const HEAD = /^\{"id":(\d{1,15}),"method":"([^"\\]{1,64})"/;
/** Shorter frames are cheap whatever is in them. */
const UNCHECKED_BYTES = 1024;

const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d];
const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];

/** Null if the frame does not begin so; it may be well-formed all the same. */
export function readHead(data: Buffer): Head | null {
  const found = HEAD.exec(data.toString('latin1', 0, HEAD_BYTES));
  const id = Number(found?.[1]);
  return found?.[2] !== undefined && id >= 1 ? { id, method: found[2] } : null;
}

/**
 * Reads a request. What the frame may cost is decided by its method before it is parsed; without a head, or of a method
 * that nobody knows, it must be small. Throws ProtocolError:
 * `frame_too_large`, or `invalid_request`.
 */
export function readFrame(data: Buffer, head: Head | null, cost: FrameCost = SMALL): RequestFrame {
  if (data.length > cost.bytes)
    throw new ProtocolError('frame_too_large', 'The request is longer than its method allows.');
  if (data.length > UNCHECKED_BYTES && !isWithin(data, cost)) throw malformed('has too many parts');
  const parsed = RequestFrame.safeParse(parseJson(data));
  if (!parsed.success) throw invalidRequest(parsed.error);
  // A name that comes twice counts with its last value: the cost would have been another method's.
  if (head && head.method !== parsed.data.method) throw malformed('names two methods');
  return parsed.data;
}

/** The id of a frame that was refused, if it can be told without reading all of it. */
export function idOf(data: Buffer, head: Head | null): number | null {
  if (head) return head.id;
  if (data.length > LIMITS.headlessFrameBytes.value) return null;
  const frame = parseJson(data) as { id?: unknown } | null | undefined;
  return RequestFrame.shape.id.safeParse(frame?.id).data ?? null;
}

/** Whether a frame has no more parts than this, and none inside more others. One pass, however it is made. */
function isWithin(data: Buffer, { tokens, depth }: FrameCost): boolean {
  let left = tokens;
  let level = 0;
  for (let at = 0; at < data.length; at++) {
    const byte = data[at];
    if (byte === QUOTE) at = endOfString(data, at);
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (++level > depth || --left < 0) return false;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) level--;
    else if ((byte === COMMA || byte === COLON) && --left < 0) return false;
  }
  return true;
}

/** Where the string that begins at `start` ends; the end of the frame if it does not. */
function endOfString(data: Buffer, start: number): number {
  const end = data.indexOf(QUOTE, start + 1);
  if (end < 0) return data.length;
  if (data[end - 1] !== BACKSLASH) return end;
  let at = start + 1;
  while (at < data.length && data[at] !== QUOTE) at += data[at] === BACKSLASH ? 2 : 1;
  return at;
}

function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'));
  } catch {
    return undefined;
  }
}

function malformed(problem: string): ProtocolError<'invalid_request'> {
  return new ProtocolError('invalid_request', 'The frame is no request.', { issues: [{ path: '', problem }] });
}
