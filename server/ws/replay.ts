import type { IdempotencyId } from '../../protocol/ids.ts';
import { setBounded } from '../bounded-map.ts';
import { idempotencyIdReused } from '../store/once.ts';
import type { Caller } from './method.ts';

/** Answers kept for one connection. */
const MAX_ANSWERS = 500;

interface Answer {
  readonly method: string;
  readonly result: Promise<unknown>;
}

/** Recognises repeats of keyed requests on one connection, and answers them with the first answer. */
export class Replay {
  readonly #byConnection = new Map<string, Map<string, Answer>>();

  /** Keeps the answer in memory, for as long as the connection lives. A refusal is not kept: nothing happened. */
  async forConnection(
    caller: Caller,
    method: string,
    id: IdempotencyId,
    work: () => Promise<unknown>,
  ): Promise<unknown> {
    const answers = this.#byConnection.get(caller.connectionId) ?? new Map<string, Answer>();
    this.#byConnection.set(caller.connectionId, answers);
    const first = answers.get(id);
    if (first) return same(first, method);
    const result = work();
    setBounded(answers, id, { method, result }, MAX_ANSWERS);
    result.catch(() => answers.delete(id));
    return result;
  }

  forget(connectionId: string): void {
    this.#byConnection.delete(connectionId);
  }
}

/** Whose idempotency ids these are: the device's, or the session's where there is no device yet. */
export function scopeOf(caller: Caller): string {
  const { session } = caller;
  if (!session) return caller.connectionId;
  return `${session.userId}/${session.deviceId ?? session.sessionId}`;
}

function same(answer: Answer, method: string): Promise<unknown> {
  if (answer.method !== method) throw idempotencyIdReused();
  return answer.result;
}
