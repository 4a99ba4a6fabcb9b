import { untrack } from 'svelte';
import * as wire from '../../../protocol/contacts.ts';
import type { Person } from '../../../protocol/contacts.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { Vault } from '../../crypto/vault.ts';
import type { Connection } from '../../net/connection.ts';
import { isLostAnswer } from '../../net/retrying.ts';
import { isLinked } from '../../net/when-online.ts';
import { unique } from '../../ui/unique.ts';
import { LIMITS } from './limits.ts';
import type { ContactsController, KnownPerson } from './model.ts';

/** People that a search brings at once, whatever the server answers. */
const FOUND_LIMIT = 50;
/** Stands for somebody of whom nothing is known yet. */
const UNKNOWN = { username: '', displayName: '', role: 'member', trust: 'plain', formerName: null } as const;
/** How many the server takes in one question. */
const GET_LIMIT = 200;
/** How many are asked for in one question after events were missed: an answer of a few kilobytes. */
const REFRESH_AT_ONCE = 50;
/** So many more than `strangers` before some are forgotten, so that not each new one costs a look at the conversations. */
const SLACK = 200;

export interface ContactsDependencies {
  readonly connection: Connection;
  readonly vault: Vault;
  /** Told of faults that nobody waits for; never gets content. */
  readonly report: (error: unknown) => void;
}

/** Colleagues: the directory's answers, kept on the device so that names are there offline. */
export class Contacts implements ContactsController {
  readonly #deps: ContactsDependencies;
  /** Those heard of last come last. Changed in place, since each copy of many costs more than all else: see `#version`. */
  readonly #known = new Map<UserId, KnownPerson>();
  /** Rises with every change of `#known`. */
  #version = $state(0);
  /** What the server said last of each, so that the vault is not asked to look at the same again. */
  readonly #told = new Map<UserId, string>();
  /** Found to be more than strangers, so that they are not proposed to be forgotten again. */
  readonly #kept = new Set<UserId>();
  readonly people: readonly KnownPerson[] = $derived(byName([...this.#all().values()]));
  #loaded = false;
  #own: UserId | null = $state(null);
  /** What was published, and what the server called this account when it refused that. */
  #refused: string | null = $state(null);
  readonly ownNameDoubted: boolean = $derived(
    this.#refused !== null || (this.#own !== null && this.#all().get(this.#own)?.trust === 'doubtful'),
  );
  /** People whose names were not asked for since events were missed. */
  #outdated = new Set<UserId>();
  #newcomers: ReturnType<typeof setTimeout> | null = null;
  #moreNewcomers = false;

  constructor(deps: ContactsDependencies) {
    this.#deps = deps;
    deps.connection.on(wire.changed, ({ person }) => this.#changed(person));
    deps.connection.onResync((continues) => this.#resynchronise(continues));
  }

  async load(): Promise<void> {
    for (const person of await this.#deps.vault.people()) this.#known.set(person.userId, person);
    this.#loaded = true;
    this.#redraw();
  }

  clear(): void {
    this.#loaded = false;
    for (const known of [this.#told, this.#known, this.#kept]) known.clear();
    this.#redraw();
    clearTimeout(this.#newcomers ?? undefined);
    this.#newcomers = null;
    this.#moreNewcomers = false;
    this.#outdated = new Set();
    this.#own = null;
    this.#refused = null;
  }

  person(userId: UserId): KnownPerson {
    return this.#all().get(userId) ?? { userId, ...UNKNOWN };
  }

  async ensure(users: readonly UserId[]): Promise<void> {
    const missing = [...new Set(users)].filter((userId) => !this.#known.has(userId));
    for (const userId of users) this.#heardOf(userId);
    if (missing.length > 0) await this.#fetch(missing);
  }

  async find(text: string): Promise<readonly KnownPerson[]> {
    try {
      const params = { text: text.trim().slice(0, 64), limit: FOUND_LIMIT };
      const answer = await this.#deps.connection.request(wire.search, params);
      const people = unique(answer.people, ({ userId }) => userId).slice(0, FOUND_LIMIT);
      const learnt = new Map((await this.#learn(people)).map((person) => [person.userId, person]));
      await this.#makeRoom();
      return people.map(({ userId }) => this.#known.get(userId) ?? learnt.get(userId) ?? this.person(userId));
    } catch (error) {
      if (!isLostAnswer(error)) throw error;
      return this.people.filter((person) => person.status === undefined && matches(person, text)).slice(0, FOUND_LIMIT);
    }
  }

  /** Names may have changed while nobody listened. What a slow line brought of them is not asked for again. */
  async #resynchronise(continues = false): Promise<void> {
    if (!this.#loaded || !isLinked(this.#deps.connection)) return;
    await this.#makeRoom();
    const atMost = REFRESH_AT_ONCE * LIMITS.questionsInAConnection.value;
    if (!continues) this.#outdated = new Set([...this.#known.keys()].slice(0, atMost));
    while (this.#outdated.size > 0) {
      const users = [...this.#outdated].slice(0, REFRESH_AT_ONCE);
      const answered = await this.#fetch(users);
      // Whom the server does not know was invented by it, or is gone.
      await this.#forget(users.filter((userId) => !answered.has(userId)));
      for (const userId of users) {
        this.#outdated.delete(userId);
        this.#heardOf(userId);
      }
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

  /** Returns whom the server answered of those asked for; whoever else is in the answer is passed over. */
  async #fetch(users: readonly UserId[]): Promise<ReadonlySet<UserId>> {
    const answered = new Set<UserId>();
    for (let start = 0; start < users.length; start += GET_LIMIT) {
      const asked = new Set(users.slice(start, start + GET_LIMIT));
      const { people } = await this.#deps.connection.request(wire.get, { users: [...asked] });
      const right = unique(people, ({ userId }) => userId).filter(({ userId }) => asked.has(userId));
      await this.#learn(right);
      for (const { userId } of right) answered.add(userId);
    }
    await this.#makeRoom();
    return answered;
  }

  /** Of people who are not known here nothing is kept: the directory is looked at anew, now and then. */
  async #changed(person: Person): Promise<void> {
    if (this.#known.has(person.userId)) await this.#learn([person]);
    else if (this.#newcomers === null) this.#lookForNewcomers();
    else this.#moreNewcomers = true;
  }

  /** Not waited for by the events that come after it. */
  #lookForNewcomers(): void {
    if (!this.#loaded) return;
    this.#moreNewcomers = false;
    this.#newcomers = setTimeout(() => {
      this.#newcomers = null;
      if (this.#moreNewcomers) this.#lookForNewcomers();
    }, LIMITS.newcomersMs.value);
    void this.find('').catch(this.#deps.report);
  }

  async #learn(people: readonly Person[]): Promise<readonly KnownPerson[]> {
    if (!this.#loaded) return [];
    for (const { userId } of people) this.#heardOf(userId);
    const news = people.filter((person) => this.#told.get(person.userId) !== saying(person));
    if (news.length === 0) return [];
    const learnt = await this.#deps.vault.learnPeople(news);
    this.#show(learnt);
    if (this.#loaded) for (const person of news) this.#told.set(person.userId, saying(person));
    return learnt;
  }

  #show(people: readonly KnownPerson[]): void {
    if (!this.#loaded) return;
    const news = people.filter((person) => !same(person, this.#known.get(person.userId)));
    for (const person of news) this.#known.set(person.userId, person);
    if (news.length > 0) this.#redraw();
  }

  /** Everybody known. Reactive. */
  #all(): ReadonlyMap<UserId, KnownPerson> {
    void this.#version;
    return this.#known;
  }

  /** Also where an effect is running, which is not to run again for it. */
  #redraw(): void {
    untrack(() => {
      this.#version += 1;
    });
  }

  /** Puts somebody at the end of those who would be forgotten. */
  #heardOf(userId: UserId): void {
    const person = this.#known.get(userId);
    if (person === undefined) return;
    this.#known.delete(userId);
    this.#known.set(userId, person);
  }

  async #makeRoom(): Promise<void> {
    const atMost = LIMITS.strangers.value;
    if (this.#known.size - this.#kept.size <= atMost + SLACK) return;
    const perhaps = [...this.#known.keys()].filter((userId) => !this.#kept.has(userId));
    await this.#forget(perhaps.slice(0, perhaps.length - atMost));
  }

  /** Forgets those of them who are strangers. */
  async #forget(users: readonly UserId[]): Promise<void> {
    if (users.length === 0 || !this.#loaded) return;
    const gone = new Set(await this.#deps.vault.forgetPeople(users));
    for (const userId of users) {
      if (!gone.has(userId)) this.#kept.add(userId);
      else for (const known of [this.#known, this.#told]) known.delete(userId);
    }
    this.#redraw();
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
