import { send, type Recipient } from '../../../protocol/chat.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { DeviceAddress, DeviceId, IdempotencyId, MessageId, UserId } from '../../../protocol/ids.ts';
import { findAnswer } from '../../store/once.ts';
import type { Trx } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import type { Payer } from '../../store/turns.ts';
import type { EventSink } from '../../ws/event-sink.ts';
import { Announcements, type Announced } from './announcements.ts';
import type { ExpiredNews } from './expired-news.ts';
import { Ledger, ledgerKey, SENT } from './ledger.ts';
import { checkRecipients } from './recipients.ts';
import { LIMITS } from './limits.ts';
import { SendOrder } from './send-order.ts';
import { SharedBill, type Share } from './shared-bill.ts';
import { Room, type Quotas } from './room.ts';
import type { Acknowledged, ChatStore } from './store.ts';

const NOBODY: ReadonlySet<string> = new Set();

export interface OutgoingDeps extends ChatDeps {
  readonly news: ExpiredNews;
}

export interface ChatDeps {
  readonly store: Store;
  readonly chatStore: ChatStore;
  readonly events: EventSink;
  readonly quotas: Quotas;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** The devices of those of these accounts that exist. They must not change before the transaction ends. */
  readonly devicesOf: (trx: Trx, users: ReadonlySet<UserId>) => Promise<ReadonlyMap<UserId, ReadonlySet<DeviceId>>>;
}

interface Send {
  readonly scope: string;
  readonly id: IdempotencyId;
  readonly sender: DeviceAddress;
  readonly payload: string;
  readonly recipients: readonly Recipient[];
  /** The message that must have been accepted before it. */
  readonly after?: MessageId | undefined;
  /** For whom its share of the transaction's time counts. */
  readonly payer: Payer;
  readonly resolve: (result: { position: number }) => void;
  readonly reject: (reason: unknown) => void;
}

interface Acknowledgement extends Acknowledged {
  readonly payer: Payer;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Group commit: everything that arrives while the last transaction is written (or in one turn of the event loop) goes
 * into the next one, in the order of arrival. So the cost of making things durable is shared, a lone message still
 * waits for nobody, and messages of one connection keep their order.
 */
export class Outgoing {
  readonly #deps: OutgoingDeps;
  #sends: Send[] = [];
  #acknowledgements: Acknowledgement[] = [];
  readonly #announcements: Announcements;
  readonly #bill = new SharedBill();
  #working: Promise<void> | null = null;

  constructor(deps: OutgoingDeps) {
    this.#deps = deps;
    this.#announcements = new Announcements(deps.events, deps.news);
  }

  /** Sends that wait to be written. */
  get waiting(): number {
    return this.#sends.length;
  }

  /** Resolves once the message is durable. Errors: as `chat.send`. */
  send(message: Omit<Send, 'resolve' | 'reject'>): Promise<{ position: number }> {
    return new Promise((resolve, reject) => {
      this.#sends.push({ ...message, resolve, reject });
      this.#work();
    });
  }

  /** Resolves once the envelopes are out of the device's queue for good. */
  acknowledge(acknowledged: Omit<Acknowledgement, 'resolve' | 'reject'>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#acknowledgements.push({ ...acknowledged, resolve, reject });
      this.#work();
    });
  }

  /** Resolves once all that was handed over is written. */
  async flush(): Promise<void> {
    while (this.#working) await this.#working;
  }

  #work(): void {
    this.#working ??= this.#run().finally(() => {
      this.#working = null;
      if (this.#sends.length > 0 || this.#acknowledgements.length > 0) this.#work();
    });
  }

  async #run(): Promise<void> {
    // The frames that came in this turn of the event loop go together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#sends.length > 0 || this.#acknowledgements.length > 0) {
      const sends = takeFirst(this.#sends, [
        [LIMITS.batchMessages.value, () => 1],
        [LIMITS.batchCharacters.value, ({ payload }) => payload.length],
        [LIMITS.batchCopies.value, copiesOf],
      ]);
      const most = LIMITS.batchPositions.value;
      const acknowledgements = takeFirst(this.#acknowledgements, [
        [most, () => 1],
        [most, ({ positions }) => positions.length],
      ]);
      await this.#announcements.tell(await this.#commit(sends, acknowledgements));
    }
  }

  /** Returns the messages that are kept now, which nobody was told of yet. */
  async #commit(sends: Send[], acknowledgements: Acknowledgement[]): Promise<Announced[]> {
    try {
      const { store, chatStore } = this.#deps;
      const work = async (trx: Trx) => {
        const ledger = new Ledger();
        const outcomes = sends.length > 0 ? await this.#write(trx, sends, ledger) : [];
        if (acknowledgements.length > 0) await chatStore.acknowledge(trx, acknowledgements, ledger);
        await chatStore.record(trx, ledger);
        return outcomes;
      };
      const committing = store.onBehalfOf(this.#bill, () => store.transaction(work));
      const written = await committing.finally(() => this.#bill.settle(sharesOf(sends, acknowledgements)));
      const accepted = written.flatMap((each) => settle(each) ?? []);
      for (const { resolve } of acknowledgements) resolve();
      return accepted;
    } catch (error) {
      for (const { reject } of sends) reject(error);
      // Where messages do not fit any more, acknowledgements still do, and they make room.
      if (sends.length > 0 && acknowledgements.length > 0) return this.#commit([], acknowledgements);
      for (const { reject } of acknowledgements) reject(error);
      return [];
    }
  }

  /**
   * Writes the sends that are for exactly the right devices. That is looked up in this transaction, so that no message
   * misses a device that was linked this moment or fills the queue of one that was just removed.
   */
  async #write(trx: Trx, sends: readonly Send[], ledger: Ledger): Promise<Written[]> {
    const users = usersOf(sends);
    const devicesOf = await this.#deps.devicesOf(trx, users);
    const { rows, total } = await this.#deps.chatStore.use(trx, [...users]);
    const room = new Room(rows, total, this.#deps.quotas);
    const order = new SendOrder(trx, sends);
    const admitted: Admitted[] = [];
    const refused: Written[] = [];
    for (const message of sends) {
      try {
        const refusal = checkRecipients(message.recipients, message.sender, devicesOf) ?? (await order.check(message));
        if (refusal !== null) throw refusal;
        admitted.push({ message, skipped: room.take(message.sender, message.payload, message.recipients) });
        order.accept(message);
      } catch (refusal) {
        if (!(refusal instanceof ProtocolError)) throw refusal;
        const outcome = await this.#refused(trx, message, refusal);
        refused.push({ message, outcome, skipped: NOBODY });
        if (!('refusal' in outcome)) order.accept(message);
      }
    }
    return admitted.length > 0 ? [...refused, ...(await this.#insert(trx, admitted, ledger))] : refused;
  }

  /** What was accepted before, when the devices were others, gets the answer it had then. */
  async #refused(trx: Trx, { scope, id }: Send, refusal: unknown): Promise<Outcome> {
    try {
      const first = await findAnswer(trx, { scope, id, method: send.name });
      return first ? { ...(first.result as { position: number }), repeated: true } : { refusal };
    } catch (error) {
      return { refusal: error };
    }
  }

  /** Returns for each send its position, or that it was there before. */
  async #insert(trx: Trx, sends: readonly Admitted[], ledger: Ledger): Promise<Written[]> {
    const { chatStore, now } = this.#deps;
    const first = await chatStore.reservePositions(trx, sends.length, now());
    const answers: unknown[] = [];
    for (const [index, { message }] of sends.entries())
      answers.push(message.scope, message.id, send.name, `{"position":${first + index}}`, now());
    // A batch without repeats is the usual case, and then nothing needs to be looked up.
    const allNew = (await chatStore.insertAnswers(trx, answers)) === sends.length;
    const messages: unknown[] = [];
    const queue: unknown[] = [];
    const written: Written[] = [];
    for (const [index, admitted] of sends.entries()) {
      const { message, skipped } = admitted;
      const position = first + index;
      const outcome = allNew ? { position, repeated: false } : await this.#outcome(trx, message, position);
      written.push({ message, outcome, skipped });
      if ('refusal' in outcome || outcome.repeated) continue;
      ledger.add(message.sender.userId, SENT, 0, 0, 0, 1);
      addRows(messages, queue, admitted, position, ledger);
    }
    await chatStore.insertMessages(trx, messages, queue);
    return written;
  }

  /** What became of a send for which `position` was reserved: the answer that is kept for it says so. */
  async #outcome(trx: Trx, { scope, id }: Send, position: number): Promise<Outcome> {
    try {
      const kept = await findAnswer(trx, { scope, id, method: send.name });
      if (!kept) throw new Error('a kept answer is gone');
      const result = kept.result as { position: number };
      return { position: result.position, repeated: result.position !== position };
    } catch (error) {
      return { refusal: error };
    }
  }
}

/** Answers a send. Returns what there is to announce, or null. */
function settle({ message, outcome, skipped }: Written): Announced | null {
  if ('refusal' in outcome) {
    message.reject(outcome.refusal);
    return null;
  }
  const { position, repeated } = outcome;
  message.resolve({ position });
  return repeated ? null : { ...message, messageId: message.id as string as MessageId, position, skipped };
}

/** The first of a list, no more than fit each of the bounds, but one in any case; they leave the list. */
function takeFirst<T>(list: T[], bounds: readonly (readonly [most: number, sizeOf: (item: T) => number])[]): T[] {
  const totals = bounds.map(() => 0);
  const over = list.findIndex((item) =>
    bounds.some(([most, sizeOf], at) => (totals[at] = (totals[at] ?? 0) + sizeOf(item)) > most),
  );
  return list.splice(0, over < 0 ? list.length : Math.max(1, over));
}

/** Its recipients, each of whom is looked up, and their devices, each of which gets a row. */
function copiesOf({ recipients }: Send): number {
  return recipients.reduce((sum, { keys }) => sum + 1 + keys.length, 0);
}

function sharesOf(sends: readonly Send[], acknowledgements: readonly Acknowledgement[]): Share[] {
  return [
    // A message, its answer, and a row for each copy.
    ...sends.map((message) => ({ payer: message.payer, rows: copiesOf(message) - message.recipients.length + 2 })),
    ...acknowledgements.map(({ payer, positions }) => ({ payer, rows: positions.length })),
  ];
}

/** A send that there is room for. */
interface Admitted {
  readonly message: Send;
  /** Devices that get no copy, as `ledgerKey`. */
  readonly skipped: ReadonlySet<string>;
}

interface Written extends Admitted {
  readonly outcome: Outcome;
}

type Outcome = { readonly position: number; readonly repeated: boolean } | { readonly refusal: unknown };

function usersOf(sends: readonly Send[]): ReadonlySet<UserId> {
  const users = new Set<UserId>();
  for (const { sender, recipients } of sends) {
    users.add(sender.userId);
    for (const { userId } of recipients) users.add(userId);
  }
  return users;
}

function addRows(
  messages: unknown[],
  queue: unknown[],
  { message, skipped }: Admitted,
  position: number,
  ledger: Ledger,
): void {
  const { id, sender, payload, recipients } = message;
  const before = queue.length;
  const content = Buffer.from(payload, 'base64');
  let total = content.length;
  for (const { userId, keys } of recipients) {
    for (const { deviceId, type, body } of keys) {
      if (skipped.has(ledgerKey(userId, deviceId))) {
        ledger.add(userId, deviceId, 0, 0, 1);
        continue;
      }
      const key = Buffer.from(body, 'base64');
      const bytes = content.length + key.length;
      queue.push(userId, deviceId, position, type, key, bytes);
      ledger.add(userId, deviceId, bytes, 1);
      total += key.length;
    }
  }
  // A message that no queue takes (its only recipient is the sender's only device) is accepted and kept by nobody.
  if (queue.length === before) return;
  messages.push(position, id, sender.userId, sender.deviceId, content);
  ledger.add(sender.userId, SENT, total, 1);
  ledger.total += total;
}
