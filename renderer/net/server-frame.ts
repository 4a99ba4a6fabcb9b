import { CloseCode, MAX_FRAME_BYTES, ServerFrame } from '../../protocol/frames.ts';

/** Null if it is not a frame that a server may send. */
export function parseFrame(data: unknown): ServerFrame | null {
  if (typeof data !== 'string' || data.length > MAX_FRAME_BYTES) return null;
  try {
    return ServerFrame.parse(JSON.parse(data));
  } catch {
    return null;
  }
}

/** Why a connection that was closed with this code is not to be made again; null if it is. */
export function endedBy(code: number): 'replaced' | 'session_revoked' | null {
  if (code === CloseCode.replaced) return 'replaced';
  return code === CloseCode.sessionRevoked ? 'session_revoked' : null;
}
