import { CompiledQuery } from 'kysely';
import type { DeviceId, UserId } from '../../../protocol/ids.ts';
import { setBounded } from '../../bounded-map.ts';
import type { Trx } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { LIMITS } from './limits.ts';

interface Known {
  /** Of the device list that these devices are on. */
  readonly version: number;
  readonly devices: ReadonlySet<DeviceId>;
}

/**
 * Which devices each account has. The versions of the device lists are asked for every time; the devices themselves are
 * kept in memory for as long as their list has the same version.
 */
export class DeviceDirectory {
  readonly #known = new Map<UserId, Known>();
  readonly #versions: string;
  readonly #parameter: (users: readonly UserId[]) => unknown;

  constructor(kind: Store['kind']) {
    // Accounts that are suspended, and guests, take no messages: for a sender they are not there.
    const select = 'select user_id, version from device_lists where suspended = 0 and user_id';
    // The lock on the rows has a new list wait for this transaction; on SQLite transactions wait for each other anyway.
    this.#versions =
      kind === 'postgres' ? `${select} = any($1) for share` : `${select} in (select value from json_each(?))`;
    this.#parameter = kind === 'postgres' ? (users) => users : (users) => JSON.stringify(users);
  }

  /** The devices of those of these accounts that exist, as they stay until the transaction ends. */
  async devicesOf(trx: Trx, users: ReadonlySet<UserId>): Promise<ReadonlyMap<UserId, ReadonlySet<DeviceId>>> {
    const found = new Map<UserId, ReadonlySet<DeviceId>>();
    const changed = new Map<UserId, number>();
    for (const { userId, version } of await this.#versionsOf(trx, [...users])) {
      const known = this.#known.get(userId);
      if (known?.version === version) found.set(userId, known.devices);
      else changed.set(userId, version);
    }
    if (changed.size > 0) await this.#load(trx, changed, found);
    return found;
  }

  async #versionsOf(trx: Trx, users: readonly UserId[]) {
    const query = CompiledQuery.raw(this.#versions, [this.#parameter(users)]);
    const { rows } = await trx.executeQuery(query as CompiledQuery<{ userId: UserId; version: number }>);
    return rows;
  }

  async #load(
    trx: Trx,
    versions: ReadonlyMap<UserId, number>,
    found: Map<UserId, ReadonlySet<DeviceId>>,
  ): Promise<void> {
    const rows = await trx
      .selectFrom('devices')
      .select(['userId', 'deviceId'])
      .where('userId', 'in', [...versions.keys()])
      .execute();
    const rowsOf = Map.groupBy(rows, ({ userId }) => userId);
    for (const [userId, version] of versions) {
      const devices = new Set(rowsOf.get(userId)?.map(({ deviceId }) => deviceId));
      found.set(userId, devices);
      setBounded(this.#known, userId, { version, devices }, LIMITS.accountsInMemory.value);
    }
  }
}
