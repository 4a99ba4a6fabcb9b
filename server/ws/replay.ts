import type { IdempotencyId } from '../../protocol/ids.ts';
import { REQUESTS } from '../store/answer-use.ts';
import { idempotencyIdReused } from '../store/once.ts';
import { LIMITS } from './limits.ts';
import type { Caller, CallerSession } from './method.ts';

interface Answer {
  readonly method: string;
  readonly result: Promise<unknown>;
  /** Of the answer as JSON; 0 until it is known. */
  characters: number;
}

/** The answers of one connection, oldest first. */
class Answers {
  readonly byId = new Map<string, Answer>();
  #characters = 0;

  add(id: string, answer: Answer): void {
    this.byId.set(id, answer);
    this.#trim();
  }

  measure(id: string, characters: number): void {
    const answer = this.byId.get(id);
    if (!answer) return;
    answer.characters = characters;
    this.#characters += characters;
    this.#trim();
  }

  delete(id: string): void {
    this.#characters -= this.byId.get(id)?.characters ?? 0;
    this.byId.delete(id);
  }

  #trim(): void {
    for (const id of this.byId.keys()) {
      if (this.byId.size <= LIMITS.replayAnswers.value && this.#characters <= LIMITS.replayCharacters.value) return;
      this.delete(id);
    }
  }
}

/** Recognises repeats of keyed requests on one connection, and answers them with the first answer. */
export class Replay {
  readonly #byConnection = new Map<string, Answers>();

  /** Keeps the answer in memory, for as long as the connection lives. A refusal is not kept: nothing happened. */
  async forConnection(
    caller: Caller,
    method: string,
    id: IdempotencyId,
    work: () => Promise<unknown>,
  ): Promise<unknown> {
    const answers = this.#byConnection.get(caller.connectionId) ?? new Answers();
    this.#byConnection.set(caller.connectionId, answers);
    const first = answers.byId.get(id);
    if (first) return same(first, method);
    const result = work();
    answers.add(id, { method, result, characters: 0 });
    result.then(
      (value) => answers.measure(id, JSON.stringify(value).length),
      () => answers.delete(id),
    );
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

/**
 * The same for what keeps its answer in a transaction of its own. Apart from sends: the one transaction with the sends of
 * everybody would wait for whoever keeps an answer under the id of a send, and on PostgreSQL in a ring where that one waits
 * for a row that the sends hold.
 */
export function requestScopeOf(caller: Caller & { readonly session: CallerSession }): string {
  return `${scopeOf(caller)}/${REQUESTS}`;
}

function same(answer: Answer, method: string): Promise<unknown> {
  if (answer.method !== method) throw idempotencyIdReused();
  return answer.result;
}
