import type { DeviceSecrets } from '../../crypto/identity/device-keys.ts';
import { CryptoError } from '../../crypto/crypto-error.ts';
import { ProfileDatabase } from '../db/profile-database.ts';
import { RegistryDatabase } from '../db/registry.ts';
import type { RestKeyRow, StorageOptions } from '../db/registry.ts';
import type { SecretStore } from '../host/host.ts';
import { NOTHING_SIGNED, readOwnList, withoutRemoved } from './own-list.ts';
import { readSecret } from './profile.ts';
import type { Peer, Profile, ProfileInfo } from './profile.ts';
import { loadRestKey } from './rest-key.ts';
import { SessionCache } from './session-cache.ts';
import { Sealer } from './sealer.ts';
import { SettledMessages } from './settled-messages.ts';
import { SkipAllowances } from './skip-allowances.ts';
import { StrangerLookUps } from './stranger-look-ups.ts';
import { SummaryCache } from './summary-cache.ts';

/** How long an envelope that was taken in is remembered, in milliseconds; after that the ratchets alone refuse a replay. */
const SEEN_MS = 90 * 24 * 60 * 60 * 1000;

/** Enough for the next messages and their keys, and too little for a browser to put it into a file of its own. */
const PROBE_BYTES = 32_768;
/** As many as fill the largest write buffer of Chromium's databases (4 MB). */
const RENEWING_PROBES = 160;

interface Known {
  readonly id: string;
  readonly info: ProfileInfo;
}

/** Profiles written before they named their server. */
type StoredInfo = Omit<ProfileInfo, 'origin'> & { readonly origin?: string };

/** Which server the accounts of this device are at. */
export interface HomeServer {
  /** The one that this app talks to until it is started or loaded anew. */
  readonly origin: string;
  /** The one that profiles without an origin belong to; null where that is not known. */
  readonly first: string | null;
}

/**
 * The accounts that have a place on this device, as far as they are at the server that this app talks to; at most one is
 * open. Those at other servers are not seen: no token, key or message of theirs can reach this server.
 */
export class Profiles {
  readonly #options: StorageOptions;
  readonly #now: () => number;
  readonly #registry: RegistryDatabase;
  readonly #key: CryptoKey;
  readonly #sealer: Sealer;
  readonly #home: HomeServer;
  #open: Profile | null = null;

  private constructor(
    options: StorageOptions,
    now: () => number,
    home: HomeServer,
    registry: RegistryDatabase,
    key: CryptoKey,
  ) {
    this.#options = options;
    this.#home = home;
    this.#now = now;
    this.#registry = registry;
    this.#key = key;
    this.#sealer = new Sealer(key, 'registry');
  }

  static async load(
    options: StorageOptions,
    now: () => number,
    secrets: SecretStore | null,
    home: HomeServer,
  ): Promise<Profiles> {
    const registry = new RegistryDatabase(options);
    await registry.open();
    const profiles = new Profiles(options, now, home, registry, await loadRestKey(registry, secrets, options));
    await profiles.#bindUnbound();
    return profiles;
  }

  /** The server whose accounts these are. */
  get origin(): string {
    return this.#home.origin;
  }

  get current(): Profile | null {
    return this.#open;
  }

  /** Opens the one that was chosen last, if any is past its sign-up. */
  async openLast(): Promise<Profile | null> {
    const known = (await this.#all()).filter(({ info }) => info.phase !== 'signing-up');
    const last = known.sort((a, b) => b.info.chosenAt - a.info.chosenAt)[0];
    return last === undefined ? null : this.#switchTo(last);
  }

  /** Opens the account for which `wanted` holds; null if none. Writing a later `chosenAt` chooses it. */
  async openWhere(wanted: (info: ProfileInfo) => boolean): Promise<Profile | null> {
    const found = (await this.#all()).filter(({ info }) => wanted(info));
    // An account that was confirmed goes before a sign-up of the same name that never was.
    const best = found.find(({ info }) => info.phase !== 'signing-up') ?? found[0];
    return best === undefined ? null : this.#switchTo(best);
  }

  /** Makes a place for an account, and opens it. */
  async create(info: Omit<ProfileInfo, 'chosenAt' | 'origin'>): Promise<Profile> {
    const id = crypto.randomUUID();
    const profile = await this.#switchTo({ id, info: { ...info, origin: this.origin, chosenAt: this.#now() } });
    await this.update(profile, {});
    return profile;
  }

  /** Writes what the registry knows of the open account. */
  async update(profile: Profile, change: Partial<ProfileInfo>): Promise<void> {
    const info = { ...profile.info, ...change };
    await this.#write(profile.id, info);
    profile.info = info;
  }

  /** Throws the open account's place away, with all that is in it. */
  async remove(profile: Profile): Promise<void> {
    await this.#registry.profiles.delete(profile.id);
    await profile.db.delete();
    this.#open = null;
  }

  /** Whether no database was closed underneath, as a browser does that cannot read or write it any more. */
  get isOpen(): boolean {
    return this.#registry.isOpen() && this.#open?.db.isOpen() !== false;
  }

  /** Writes something and takes it away again. Rejects if the storage takes nothing. */
  async probe(): Promise<void> {
    await this.#fill(1);
  }

  /**
   * After writes that failed, has the browser begin a new log. Chromium goes on writing behind what is torn in the present
   * one, finds that at its next start, and then throws everything away: keys and history. A full buffer closes the log.
   */
  async renewLog(): Promise<void> {
    await this.#fill(RENEWING_PROBES);
  }

  async #fill(count: number): Promise<void> {
    const rows = Array.from({ length: count }, (_, i): RestKeyRow => {
      const bytes = crypto.getRandomValues(new Uint8Array(PROBE_BYTES));
      return { id: `probe${i}`, kind: 'probe', bytes };
    });
    await this.#registry.keys.bulkPut(rows);
    await this.#registry.keys.bulkDelete(rows.map(({ id }) => id));
  }

  close(): void {
    this.#open?.db.close();
    this.#open = null;
    this.#registry.close();
  }

  async #all(): Promise<Known[]> {
    const stored = await this.#stored();
    return stored.filter((known): known is Known => known.info.origin === this.origin);
  }

  /** An entry that is damaged is left out; the other accounts go on. Throws `tampered` if none can be opened. */
  async #stored(): Promise<{ readonly id: string; readonly info: StoredInfo }[]> {
    const rows = await this.#registry.profiles.toArray();
    const opened = await Promise.all(
      rows.map(async ({ id, sealed }) => ({
        id,
        info: await this.#sealer.openIntact<StoredInfo>('profiles', id, sealed),
      })),
    );
    const stored = opened.flatMap(({ id, info }) => (info === null ? [] : [{ id, info }]));
    // All of them: the key is another one, and it would look as if nobody had been here.
    if (stored.length === 0 && rows.length > 0) throw new CryptoError('tampered', 'no account here can be opened');
    return stored;
  }

  async #write(id: string, info: ProfileInfo): Promise<void> {
    await this.#registry.profiles.put({ id, sealed: await this.#sealer.seal('profiles', id, info) });
  }

  /**
   * Gives profiles of earlier versions their server. Where it is not known which that was, they go to the present one
   * without their session: the person says by signing in that the account is there.
   */
  async #bindUnbound(): Promise<void> {
    const { origin, first } = this.#home;
    for (const { id, info } of await this.#stored()) {
      if (info.origin !== undefined) continue;
      await this.#write(id, first === null ? { ...info, origin, session: null } : { ...info, origin: first });
    }
  }

  async #switchTo({ id, info }: Known): Promise<Profile> {
    if (this.#open?.id === id) return this.#open;
    this.#open?.db.close();
    this.#open = null;
    const db = new ProfileDatabase(id, this.#options);
    await db.open();
    await db.seen
      .where('at')
      .below(this.#now() - SEEN_MS)
      .delete();
    const sealer = new Sealer(this.#key, id);
    const profile: Profile = {
      id,
      db,
      sealer,
      now: this.#now,
      info,
      device: null,
      peers: new Map(),
      ownList: NOTHING_SIGNED,
      doubts: new Map(),
      damaged: new Set(),
      sessions: new SessionCache(),
      summaries: new SummaryCache(),
      skips: new SkipAllowances(),
      settled: new SettledMessages(),
      lookUps: new StrangerLookUps(),
      outboxEmpty: new Set(),
      receiptsRest: new Set(),
    };
    profile.device = await readSecret<DeviceSecrets>(profile, 'device');
    profile.ownList = await readOwnList(profile);
    for (const { userId, sealed } of await db.peers.toArray()) {
      const peer = await sealer.openIntact<Peer>('peers', userId, sealed);
      if (peer === null) {
        profile.damaged.add(userId);
        profile.doubts.set(userId, 'keys-damaged');
      } else profile.peers.set(userId, { ...peer, list: withoutRemoved(profile, userId, peer.list) });
    }
    this.#open = profile;
    return profile;
  }
}
