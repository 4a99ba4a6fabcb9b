import type { UserId } from '../../../protocol/ids.ts';
import type { Person } from '../../../protocol/contacts.ts';

/**
 * How far a name can be believed. `signed`: the person's own account key says so. `plain`: only the server does, as of
 * everybody who has not published a signed name yet. `doubtful`: the server says something else now than what is pinned
 * and shown. `unverified`: what the server shows of somebody unknown does not hold; the username stands for the name.
 */
export type NameTrust = 'signed' | 'plain' | 'doubtful' | 'unverified';

/** A person as this device knows them: `username` and `displayName` are the pinned ones. */
export interface KnownPerson extends Omit<Person, 'profile'> {
  readonly trust: NameTrust;
  /** What they were called before a change that the person here has not dismissed yet. */
  readonly formerName: string | null;
}

export interface ContactsController {
  /** Everybody known so far, by display name. Reactive. */
  readonly people: readonly KnownPerson[];
  /**
   * The server calls this account something else than its own devices have confirmed, or refuses what they confirm.
   * Reactive.
   */
  readonly ownNameDoubted: boolean;
  /** A known person, or a placeholder with an empty name until `ensure` has fetched them. */
  person(userId: UserId): KnownPerson;
  ensure(users: readonly UserId[]): Promise<void>;
  /** Searches the directory (or, offline, the people known so far). */
  find(text: string): Promise<readonly KnownPerson[]>;
  /** The change of a name has been seen. */
  dismissNameChange(userId: UserId): Promise<void>;
}
