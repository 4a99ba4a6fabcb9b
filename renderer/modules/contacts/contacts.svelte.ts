import * as wire from '../../../protocol/contacts.ts';
import type { Person } from '../../../protocol/contacts.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { Vault } from '../../crypto/vault.ts';
import type { Connection } from '../../net/connection.ts';
import { isLostAnswer } from '../../net/retrying.ts';
import { isLinked } from '../../net/when-online.ts';
import type { ContactsController, KnownPerson } from './model.ts';

/** People that a search brings at once. */
const FOUND_LIMIT = 50;
/** Stands for somebody of whom nothing is known yet. */
const UNKNOWN = { username: '', displayName: '', role: 'member', trust: 'plain', formerName: null } as const;
/** How many the server takes in one question. */
const GET_LIMIT = 200;
/** How many are asked for in one question after events were missed: an answer of a few kilobytes. */
const REFRESH_AT_ONCE = 50;

export interface ContactsDependencies {
  readonly connection: Connection;
  readonly vault: Vault;
}

/** Colleagues: the directory's answers, kept on the device so that names are there offline. */
export class Contacts implements ContactsController {
  readonly #deps: ContactsDependencies;
  #known: ReadonlyMap<UserId, KnownPerson> = $state.raw(new Map<UserId, KnownPerson>());
  /** What the server said last of each, so that the vault is not asked to look at the same again. */
  readonly #told = new Map<UserId, string>();
  readonly people: readonly KnownPerson[] = $derived(byName([...this.#known.values()]));
  #loaded = false;
  #own: UserId | null = $state(null);
  /** What was published, and what the server called this account when it refused that. */
  #refused: string | null = $state(null);
  readonly ownNameDoubted: boolean = $derived(
    this.#refused !== null || (this.#own !== null && this.#known.get(this.#own)?.trust === 'doubtful'),
  );
  /** People whose names were not asked for since events were missed. */
  #outdated = new Set<UserId>();

  constructor(deps: ContactsDependencies) {
    this.#deps = deps;
    deps.connection.on(wire.changed, ({ person }) => this.#learn([person]));
    deps.connection.onResync((continues) => this.#resynchronise(continues));
  }

  async load(): Promise<void> {
    this.#known = new Map((await this.#deps.vault.people()).map((person) => [person.userId, person]));
    this.#loaded = true;
  }

  clear(): void {
    this.#loaded = false;
    this.#told.clear();
    this.#known = new Map();
    this.#outdated = new Set();
    this.#own = null;
    this.#refused = null;
  }

  person(userId: UserId): KnownPerson {
    return this.#known.get(userId) ?? { userId, ...UNKNOWN };
  }

  async ensure(users: readonly UserId[]): Promise<void> {
    const missing = [...new Set(users)].filter((userId) => !this.#known.has(userId));
    if (missing.length > 0) await this.#fetch(missing);
  }

  async find(text: string): Promise<readonly KnownPerson[]> {
    try {
      const params = { text: text.trim().slice(0, 64), limit: FOUND_LIMIT };
      const { people } = await this.#deps.connection.request(wire.search, params);
      await this.#learn(people);
      return people.map(({ userId }) => this.person(userId));
    } catch (error) {
      if (!isLostAnswer(error)) throw error;
      return this.people.filter((person) => person.status === undefined && matches(person, text)).slice(0, FOUND_LIMIT);
    }
  }

  /** Names may have changed while nobody listened. What a slow line brought of them is not asked for again. */
  async #resynchronise(continues = false): Promise<void> {
    if (!this.#loaded || !isLinked(this.#deps.connection)) return;
    if (!continues) this.#outdated = new Set(this.#known.keys());
    while (this.#outdated.size > 0) {
      const users = [...this.#outdated].slice(0, REFRESH_AT_ONCE);
      await this.#fetch(users);
      for (const userId of users) this.#outdated.delete(userId);
    }
    await this.find('');
    await this.#publishProfile();
  }

  async dismissNameChange(userId: UserId): Promise<void> {
    const person = this.#known.get(userId);
    if (person === undefined) return;
    this.#show([{ ...person, formerName: null }]);
    await this.#deps.vault.dismissNameChange(userId);
  }

  /** Accounts from before there were signed names get theirs from the device that holds the account key. */
  async #publishProfile(): Promise<void> {
    const { connection, vault } = this.#deps;
    const own = connection.welcome?.account?.userId;
    if (own === undefined) return;
    const { people } = await connection.request(wire.get, { users: [own] });
    await this.#learn(people);
    this.#own = own;
    const shown = people[0] ?? null;
    const profile = await vault.profileToPublish(shown);
    const attempt = profile && JSON.stringify([profile, shown && saying(shown)]);
    // A server that calls the account something else refuses what it has signed, each time: it is asked once, and the
    // person is told. Asked again when it says something else, or the app was started anew.
    if (attempt !== null && attempt === this.#refused) return;
    this.#refused = null;
    if (profile === null) return;
    try {
      await connection.request(wire.publishProfile, { profile });
    } catch (error) {
      if (ProtocolError.is(error, 'profile_invalid') || ProtocolError.is(error, 'profile_outdated')) {
        this.#refused = attempt;
        return;
      }
      // A server that is older than signed names goes on without.
      if (!ProtocolError.is(error, 'unknown_method')) throw error;
    }
  }

  async #fetch(users: readonly UserId[]): Promise<void> {
    for (let start = 0; start < users.length; start += GET_LIMIT) {
      const params = { users: users.slice(start, start + GET_LIMIT) };
      const { people } = await this.#deps.connection.request(wire.get, params);
      await this.#learn(people);
    }
  }

  async #learn(people: readonly Person[]): Promise<void> {
    if (!this.#loaded) return;
    const news = people.filter((person) => this.#told.get(person.userId) !== saying(person));
    if (news.length === 0) return;
    this.#show(await this.#deps.vault.learnPeople(news));
    for (const person of news) this.#told.set(person.userId, saying(person));
  }

  #show(people: readonly KnownPerson[]): void {
    if (!this.#loaded) return;
    const news = people.filter((person) => !same(person, this.#known.get(person.userId)));
    if (news.length === 0) return;
    this.#known = new Map([...this.#known, ...news.map((person) => [person.userId, person] as const)]);
  }
}

function saying({ username, displayName, role, status, profile }: Person): string {
  return JSON.stringify([
    username,
    displayName,
    role,
    status,
    profile?.accountKey,
    profile?.payload,
    profile?.signature,
  ]);
}

function same(a: KnownPerson, b: KnownPerson | undefined): boolean {
  const keys = ['username', 'displayName', 'role', 'status', 'trust', 'formerName'] as const;
  return b !== undefined && keys.every((key) => a[key] === b[key]);
}

function byName(people: KnownPerson[]): KnownPerson[] {
  const { compare } = new Intl.Collator(undefined, { sensitivity: 'base', numeric: true });
  return people.sort((a, b) => compare(a.displayName, b.displayName) || compare(a.username, b.username));
}

/** As the server searches: the beginning of any word of the display name, or of the username. */
function matches(person: KnownPerson, text: string): boolean {
  const wanted = text.trim().toLocaleLowerCase();
  const name = person.displayName.toLocaleLowerCase();
  return name.startsWith(wanted) || name.includes(` ${wanted}`) || person.username.startsWith(wanted);
}
