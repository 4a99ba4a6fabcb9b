import type { IdempotencyId } from '../../protocol/ids.ts';
import { setBounded } from '../bounded-map.ts';
import { findAnswer, idempotencyIdReused, keepAnswer, type RequestKey } from '../store/once.ts';
import type { Store } from '../store/store.ts';
import type { Caller } from './method.ts';

/** Answers kept for one connection. */
const MAX_ANSWERS = 500;

interface Answer {
  readonly method: string;
  readonly result: Promise<unknown>;
}

/** Recognises repeats of keyed requests, and answers them with the first answer. */
export class Replay {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #running = new Map<string, Answer>();
  readonly #byConnection = new Map<string, Map<string, Answer>>();

  constructor(store: Store, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** Keeps the answer in the store, for as long as a client may retry. */
  async stored(caller: Caller, method: string, id: IdempotencyId, work: () => Promise<unknown>): Promise<unknown> {
    const key: RequestKey = { scope: scopeOf(caller), id, method };
    const name = `${key.scope} ${id}`;
    const running = this.#running.get(name);
    if (running) return same(running, method);
    const result = this.#answerStored(key, work);
    this.#running.set(name, { method, result });
    try {
      return await result;
    } finally {
      this.#running.delete(name);
    }
  }

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

  async #answerStored(key: RequestKey, work: () => Promise<unknown>): Promise<unknown> {
    const first = await findAnswer(this.#store.db, key);
    if (first) return first.result;
    const result = await work();
    await keepAnswer(this.#store.db, key, this.#now(), result);
    return result;
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
