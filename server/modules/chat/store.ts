import { CompiledQuery, sql } from 'kysely';
import type { DeviceAddress, DeviceId, UserId } from '../../../protocol/ids.ts';
import { BulkInsert } from '../../store/bulk.ts';
import type { Database, Trx } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { Ledger, SENT, type LedgerRow } from './ledger.ts';
import { LIMITS } from './limits.ts';
import { countFitting, inSteps, type Removed } from './portions.ts';
import { SENDER_OF_COPY, statements } from './statements.ts';

/**
 * Microseconds: the year 2191. A clock that is further ahead is wrong, and one position taken from it would be the least
 * of all later ones, for good; clients show positions as times and keep larger numbers for what has none yet.
 */
const LATEST_POSITION = 7e15;

/** Removals of one device's envelopes. */
export interface Acknowledged {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly positions: readonly number[];
}

/** What the chat module asks of the database, with as few statements as can be. */
export class ChatStore {
  readonly #kind: Store['kind'];
  readonly #answers: BulkInsert;
  readonly #messages: BulkInsert;
  readonly #queue: BulkInsert;
  readonly #queueUse: BulkInsert;
  readonly #use: string;
  readonly #acknowledge: string;
  readonly #unqueued: string;

  constructor(kind: Store['kind']) {
    this.#kind = kind;
    this.#answers = new BulkInsert(
      kind,
      'idempotency',
      ['scope', 'id', 'method', 'result', 'created_at'],
      'on conflict do nothing',
    );
    this.#messages = new BulkInsert(kind, 'messages', [
      'position',
      'message_id',
      'sender_user_id',
      'sender_device_id',
      'payload',
    ]);
    this.#queue = new BulkInsert(kind, 'queue', ['user_id', 'device_id', 'position', 'key_type', 'key_body', 'bytes']);
    this.#queueUse = new BulkInsert(
      kind,
      'queue_use',
      ['user_id', 'device_id', 'bytes', 'messages', 'expired', 'answers'],
      `on conflict (user_id, device_id) do update set bytes = queue_use.bytes + excluded.bytes,
        messages = queue_use.messages + excluded.messages, expired = queue_use.expired + excluded.expired,
        answers = queue_use.answers + excluded.answers`,
    );
    ({ use: this.#use, acknowledge: this.#acknowledge, unqueued: this.#unqueued } = statements(kind));
  }

  /**
   * Reserves `count` positions and returns the first. They are microseconds of the clock, or follow the last one where
   * the clock stands or goes back. On PostgreSQL the row's lock makes concurrent batches commit in the order of their
   * positions, so that who reads a queue in order misses nothing.
   */
  async reservePositions(trx: Trx, count: number, nowMs: number): Promise<number> {
    const larger = sql.raw(this.#kind === 'postgres' ? 'greatest' : 'max');
    const { rows } = await sql<{ value: number }>`
      insert into counters (name, value) values ('position', ${Math.min(nowMs * 1000, LATEST_POSITION) + count})
      on conflict (name) do update set value = ${larger}(counters.value + ${count}, excluded.value) returning value`.execute(
      trx,
    );
    const last = rows[0]?.value;
    if (last === undefined) throw new Error('no position was reserved');
    return last - count + 1;
  }

  /** Keeps the answers of those sends that have none yet, and returns how many there were. */
  async insertAnswers(trx: Trx, values: readonly unknown[]): Promise<number> {
    return this.#answers.run(trx, values);
  }

  async insertMessages(trx: Trx, messages: readonly unknown[], queue: readonly unknown[]): Promise<void> {
    await this.#messages.run(trx, messages);
    await this.#queue.run(trx, queue);
  }

  /** What waits for the devices of these accounts, what they have sent that waits, and how much waits in all, in bytes. */
  async use(
    trx: Trx,
    users: readonly UserId[],
  ): Promise<{ readonly rows: readonly LedgerRow[]; readonly total: number }> {
    const query = CompiledQuery.raw(this.#use, [this.#list(users)]);
    const { rows } = await trx.executeQuery(query as CompiledQuery<LedgerRow>);
    // The last row is the total, which belongs to no account.
    const total = rows.find(({ userId }) => (userId as string) === '')?.bytes ?? 0;
    return { rows, total };
  }

  /** Writes what a transaction has changed. The last thing in it, since other transactions wait for these rows. */
  async record(trx: Trx, ledger: Ledger): Promise<void> {
    const values: unknown[] = [];
    for (const { userId, deviceId, bytes, messages, expired, answers } of ledger.rows())
      values.push(userId, deviceId, bytes, messages, expired, answers);
    if (values.length > 0) await this.#queueUse.run(trx, values);
    if (ledger.total === 0) return;
    await sql`insert into counters (name, value) values ('queued_bytes', ${ledger.total})
      on conflict (name) do update set value = counters.value + excluded.value`.execute(trx);
  }

  /** Takes envelopes out of queues, and deletes messages that are in no queue any more. */
  async acknowledge(trx: Trx, acknowledged: readonly Acknowledged[], ledger: Ledger): Promise<void> {
    const removed: Removed[] = [];
    for (const { userId, deviceId, positions } of acknowledged) {
      const query = CompiledQuery.raw(this.#acknowledge, [userId, deviceId, this.#list(positions)]);
      const { rows } = await trx.executeQuery(query as CompiledQuery<DeletedCopy>);
      let bytes = 0;
      for (const row of rows) {
        bytes += row.bytes;
        ledger.giveBackKey(row.sender, row.keyBytes);
        removed.push(row);
      }
      if (rows.length > 0) ledger.add(userId, deviceId, -bytes, -rows.length);
    }
    // Only what was in the queue: a client may name what it likes.
    await this.#deleteUnqueued(trx, removed, ledger);
  }

  /**
   * Deletes the oldest of what waits for a device that is on no list: as much as keeps nobody waiting. Returns whether
   * nothing is left. A device that is on a list keeps all.
   */
  async emptySome(trx: Trx, { userId, deviceId }: { userId: UserId; deviceId: number }): Promise<boolean> {
    const device = { userId, deviceId: deviceId as DeviceId };
    const listed = await trx
      .selectFrom('devices')
      .select('deviceId')
      .where('userId', '=', userId)
      .where('deviceId', '=', device.deviceId)
      .executeTakeFirst();
    if (listed) return true;
    const oldest = await trx
      .selectFrom('queue')
      .select(['position', 'bytes'])
      .where('userId', '=', userId)
      .where('deviceId', '=', device.deviceId)
      .orderBy('position')
      .limit(LIMITS.deletedMessages.value)
      .execute();
    const [positions] = inSteps(oldest);
    if (positions) {
      const ledger = new Ledger();
      await this.acknowledge(trx, [{ ...device, positions }], ledger);
      await this.record(trx, ledger);
    }
    // Asked anew: of two processes on PostgreSQL one may have come first, and there is still more.
    const { numDeletedRows } = await trx
      .deleteFrom('queueUse')
      .where('userId', '=', userId)
      .where('deviceId', '=', deviceId)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('queue').select('position').where('userId', '=', userId).where('deviceId', '=', device.deviceId),
          ),
        ),
      )
      .executeTakeFirst();
    return positions === undefined || numDeletedRows > 0n;
  }

  /** Whether anything of a device that had this number is still to be deleted. */
  async isInUse(trx: Trx, userId: UserId, deviceId: DeviceId): Promise<boolean> {
    const row = await trx
      .selectFrom('queueUse')
      .select('deviceId')
      .where('userId', '=', userId)
      .where('deviceId', '=', deviceId)
      .executeTakeFirst();
    return row !== undefined;
  }

  /**
   * Deletes the oldest messages before `position`, at most about `limit` copies, and notes for each device how many it
   * misses. Returns how many copies went, or messages where no copy was left, and the accounts that miss something.
   */
  async expire(
    trx: Trx,
    position: number,
    limit: number,
  ): Promise<{ readonly deleted: number; readonly users: ReadonlySet<UserId> }> {
    const oldest = await trx
      .selectFrom('queue')
      .select('position')
      .where('position', '<', position)
      .orderBy('position')
      .limit(limit)
      .execute();
    const last = oldest.at(-1)?.position;
    if (last === undefined) return { deleted: await this.#deleteOrphans(trx, position, limit), users: new Set() };
    const copies = await trx
      .deleteFrom('queue')
      .where('position', '<=', last)
      .returning(['userId', 'deviceId', 'position', 'bytes', KEY_BYTES, SENDER])
      .execute();
    const ledger = new Ledger();
    for (const { userId, deviceId, bytes, keyBytes, sender } of copies) {
      ledger.add(userId, deviceId, -bytes, -1, 1);
      ledger.giveBackKey(sender, keyBytes);
    }
    await this.#deleteUnqueued(trx, copies, ledger);
    await this.record(trx, ledger);
    return { deleted: copies.length, users: new Set(copies.map(({ userId }) => userId as UserId)) };
  }

  /**
   * Messages that are in no queue. Two processes on PostgreSQL that empty the last two queues of a message at once leave
   * it, since neither sees what the other deletes.
   */
  async #deleteOrphans(trx: Trx, position: number, limit: number): Promise<number> {
    const rows = await trx
      .selectFrom('messages')
      .select(['position', sql<number>`length(payload)`.as('bytes')])
      .where('position', '<', position)
      .limit(limit)
      .execute();
    const ledger = new Ledger();
    await this.#deleteUnqueued(trx, rows, ledger);
    await this.record(trx, ledger);
    return rows.length;
  }

  /** The devices of an account for which messages were not kept, as long as that was not dismissed. */
  async expired(db: Database, userId: UserId): Promise<{ deviceId: DeviceId; count: number }[]> {
    const rows = await db
      .selectFrom('queueUse')
      // What is left of a removed device is nothing to be told of.
      .innerJoin('devices', (join) =>
        join.onRef('devices.userId', '=', 'queueUse.userId').onRef('devices.deviceId', '=', 'queueUse.deviceId'),
      )
      .select(['devices.deviceId', 'expired as count'])
      .where('queueUse.userId', '=', userId)
      .where('expired', '>', 0)
      .orderBy('devices.deviceId')
      .execute();
    return rows;
  }

  async dismissExpired(db: Database, userId: UserId, deviceId: DeviceId): Promise<void> {
    await db
      .updateTable('queueUse')
      .set({ expired: 0 })
      .where('userId', '=', userId)
      .where('deviceId', '=', deviceId)
      .execute();
  }

  /**
   * The envelopes after position `after`, oldest first: at most `limit`, and no more than fit `characters` on the wire,
   * but one in any case. `more`: whether others wait behind them. What does not fit is not read: a payload is 64 KiB.
   */
  async pending(db: Database, of: DeviceAddress, after: number, limit: number, characters: number) {
    const waiting = db
      .selectFrom('queue')
      .innerJoin('messages', 'messages.position', 'queue.position')
      .where('userId', '=', of.userId)
      .where('deviceId', '=', of.deviceId)
      .where('queue.position', '>', after)
      .orderBy('queue.position');
    const sizes = await waiting
      .select(['queue.position', sql<number>`length(messages.payload)`.as('payloadBytes'), KEY_BYTES])
      .limit(limit + 1)
      .execute();
    const fitting = sizes.slice(0, Math.min(limit, countFitting(sizes, characters)));
    const last = fitting.at(-1)?.position;
    if (last === undefined) return { rows: [], more: false };
    // What was acknowledged in between is missing, and nothing is new: positions only grow.
    const rows = await waiting
      .where('queue.position', '<=', last)
      .select(['queue.position', 'messageId', 'senderUserId', 'senderDeviceId', 'payload', 'keyType', 'keyBody'])
      .execute();
    return { rows, more: fitting.length < sizes.length };
  }

  /** Deletes those of these messages that are in no queue any more, in statements that hold nobody up. */
  async #deleteUnqueued(trx: Trx, removed: readonly Removed[], ledger: Ledger): Promise<void> {
    for (const positions of inSteps(removed)) {
      const query = CompiledQuery.raw(this.#unqueued, [this.#list(positions)]);
      const { rows } = await trx.executeQuery(query as CompiledQuery<{ sender: UserId; bytes: number }>);
      for (const { sender, bytes } of rows) {
        ledger.add(sender, SENT, -bytes, -1);
        ledger.total -= bytes;
      }
    }
  }

  /** A list as one parameter. */
  #list(values: readonly unknown[]): unknown {
    return this.#kind === 'postgres' ? values : JSON.stringify(values);
  }
}

interface DeletedCopy extends Removed {
  readonly keyBytes: number;
  readonly sender: UserId | null;
}

/** Of a copy that is deleted: what is given back, and to whom. */
const KEY_BYTES = sql<number>`length(key_body)`.as('keyBytes');
const SENDER = sql<UserId | null>`${sql.raw(SENDER_OF_COPY)}`.as('sender');
