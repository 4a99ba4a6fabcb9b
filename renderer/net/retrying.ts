import { ProtocolError } from '../../protocol/errors.ts';
import { OfflineError, TimeoutError } from './connection.ts';
import type { Connection } from './connection.ts';
import { whenLive } from './when-online.ts';

const ATTEMPTS = 3;
const WAIT_MS = 8000;

/** True for failures after which nobody knows whether the request was carried out. */
export function isLostAnswer(error: unknown): boolean {
  return error instanceof OfflineError || error instanceof TimeoutError;
}

/** True for refusals that may be gone in a moment. */
export function isPassing(error: unknown): boolean {
  return ['rate_limited', 'unavailable', 'internal'].some(
    (code) => error instanceof ProtocolError && error.code === code,
  );
}

/**
 * Waits for a connection and makes the request, and repeats it when the answer was lost: it must carry an idempotency id
 * or be harmless to repeat.
 */
export async function retrying<T>(connection: Connection, attempt: () => Promise<T>): Promise<T> {
  for (let left = ATTEMPTS; ; left -= 1) {
    await whenLive(connection, WAIT_MS);
    try {
      return await attempt();
    } catch (error) {
      if (!isLostAnswer(error) || left <= 1) throw error;
    }
  }
}
