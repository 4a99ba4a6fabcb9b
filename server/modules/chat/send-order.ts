import { send } from '../../../protocol/chat.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { IdempotencyId, MessageId } from '../../../protocol/ids.ts';
import { findAnswer } from '../../store/once.ts';
import type { Trx } from '../../store/schema.ts';

export interface OrderedSend {
  /** Whose ids these are (`scopeOf`). */
  readonly scope: string;
  readonly id: IdempotencyId;
  /** The message that must have been accepted before; none for most. */
  readonly after?: MessageId | undefined;
}

/**
 * Holds the order of the sends of each device within one batch and over batches. A send that names its predecessor passes
 * only if that one is accepted already, or passes in this batch before it.
 */
export class SendOrder {
  readonly #trx: Trx;
  /** Most batches name no predecessor, and then nothing is kept. */
  readonly #named: boolean;
  readonly #accepted = new Set<string>();

  constructor(trx: Trx, sends: readonly OrderedSend[]) {
    this.#trx = trx;
    this.#named = sends.some(({ after }) => after !== undefined);
  }

  /** This send is accepted: those that name it may follow. */
  accept({ scope, id }: OrderedSend): void {
    if (this.#named) this.#accepted.add(`${scope} ${id}`);
  }

  /** The refusal `send_out_of_order`, or null. */
  async check({ scope, after }: OrderedSend): Promise<ProtocolError | null> {
    if (after === undefined || this.#accepted.has(`${scope} ${after}`)) return null;
    const id = after as string as IdempotencyId;
    if (await this.#wasAccepted(scope, id)) {
      this.#accepted.add(`${scope} ${after}`);
      return null;
    }
    return new ProtocolError('send_out_of_order', 'The message that this one follows was not accepted.');
  }

  async #wasAccepted(scope: string, id: IdempotencyId): Promise<boolean> {
    try {
      return (await findAnswer(this.#trx, { scope, id, method: send.name })) !== undefined;
    } catch (error) {
      // The id belongs to a request of another kind, so no message was accepted under it.
      if (ProtocolError.is(error, 'invalid_request')) return false;
      throw error;
    }
  }
}
