import { CompiledQuery, sql } from 'kysely';
import type { DeviceId, UserId } from '../../../protocol/ids.ts';
import { BulkInsert } from '../../store/bulk.ts';
import type { Database, Trx } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';

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
    this.#queue = new BulkInsert(kind, 'queue', ['user_id', 'device_id', 'position', 'key_type', 'key_body']);
  }

  /**
   * Reserves `count` positions and returns the first. They are microseconds of the clock, or follow the last one where
   * the clock stands or goes back. On PostgreSQL the row's lock makes concurrent batches commit in the order of their
   * positions, so that who reads a queue in order misses nothing.
   */
  async reservePositions(trx: Trx, count: number, nowMs: number): Promise<number> {
    const larger = sql.raw(this.#kind === 'postgres' ? 'greatest' : 'max');
    const { rows } = await sql<{ value: number }>`
      insert into counters (name, value) values ('position', ${nowMs * 1000 + count})
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

  /** Takes envelopes out of queues, and lets go of messages that are in no queue any more. */
  async acknowledge(trx: Trx, acknowledged: readonly Acknowledged[]): Promise<void> {
    for (const { userId, deviceId, positions } of acknowledged) {
      const statement =
        this.#kind === 'postgres'
          ? 'delete from queue where user_id = $1 and device_id = $2 and position = any($3::bigint[])'
          : 'delete from queue where user_id = ? and device_id = ? and position in (select value from json_each(?))';
      await trx.executeQuery(CompiledQuery.raw(statement, [userId, deviceId, this.#array(positions)]));
    }
    await this.#deleteUnqueued(
      trx,
      acknowledged.flatMap(({ positions }) => positions),
    );
  }

  /** Empties the queue of a device that left its account. */
  async deleteQueue(trx: Trx, userId: UserId, deviceId: DeviceId): Promise<void> {
    const rows = await trx
      .deleteFrom('queue')
      .where('userId', '=', userId)
      .where('deviceId', '=', deviceId)
      .returning('position')
      .execute();
    await this.#deleteUnqueued(
      trx,
      rows.map((row) => row.position),
    );
  }

  async pending(db: Database, userId: UserId, deviceId: DeviceId, after: number, limit: number) {
    return db
      .selectFrom('queue')
      .innerJoin('messages', 'messages.position', 'queue.position')
      .select(['queue.position', 'messageId', 'senderUserId', 'senderDeviceId', 'payload', 'keyType', 'keyBody'])
      .where('userId', '=', userId)
      .where('deviceId', '=', deviceId)
      .where('queue.position', '>', after)
      .orderBy('queue.position')
      .limit(limit)
      .execute();
  }

  async #deleteUnqueued(trx: Trx, positions: readonly number[]): Promise<void> {
    if (positions.length === 0) return;
    const among = this.#kind === 'postgres' ? '= any($1::bigint[])' : 'in (select value from json_each(?))';
    const statement = `delete from messages where position ${among}
      and not exists (select 1 from queue where queue.position = messages.position)`;
    await trx.executeQuery(CompiledQuery.raw(statement, [this.#array(positions)]));
  }

  /** A list as one parameter. */
  #array(positions: readonly number[]): unknown {
    return this.#kind === 'postgres' ? positions : JSON.stringify(positions);
  }
}
