import type { DeviceId, UserId } from '../../../protocol/ids.ts';
import { setBounded } from '../../bounded-map.ts';
import type { Bus } from '../../bus/bus.ts';
import type { Database } from '../../store/schema.ts';

/** Accounts whose devices are kept in memory. */
const MAX_ACCOUNTS = 50_000;

/** Which devices each account has: in memory, and from the store where it is not. */
export class DeviceDirectory {
  readonly #known = new Map<UserId, ReadonlySet<DeviceId>>();
  /** Rises with every change, so that an answer of the store from before it is not kept. */
  #changes = 0;
  readonly #undo: () => void;

  constructor(bus: Bus) {
    this.#undo = bus.subscribe('devicesChanged', ({ userId }) => {
      this.#changes++;
      this.#known.delete(userId);
    });
  }

  /** The devices of those of these accounts that exist. */
  async devicesOf(db: Database, users: Iterable<UserId>): Promise<ReadonlyMap<UserId, ReadonlySet<DeviceId>>> {
    const found = new Map<UserId, ReadonlySet<DeviceId>>();
    const missing: UserId[] = [];
    for (const user of users) {
      const devices = this.#known.get(user);
      if (devices) found.set(user, devices);
      else if (!found.has(user)) missing.push(user);
    }
    if (missing.length > 0) await this.#load(db, [...new Set(missing)], found);
    return found;
  }

  close(): void {
    this.#undo();
  }

  async #load(db: Database, users: UserId[], found: Map<UserId, ReadonlySet<DeviceId>>): Promise<void> {
    const before = this.#changes;
    const rows = await db
      .selectFrom('accounts')
      .leftJoin('devices', 'devices.userId', 'accounts.userId')
      .select(['accounts.userId', 'deviceId'])
      .where('accounts.userId', 'in', users)
      .execute();
    const sets = new Map<UserId, Set<DeviceId>>();
    for (const { userId, deviceId } of rows) {
      const set = sets.get(userId) ?? new Set<DeviceId>();
      sets.set(userId, set);
      if (deviceId !== null) set.add(deviceId);
    }
    for (const [user, devices] of sets) {
      found.set(user, devices);
      if (before !== this.#changes) continue;
      setBounded(this.#known, user, devices, MAX_ACCOUNTS);
    }
  }
}
