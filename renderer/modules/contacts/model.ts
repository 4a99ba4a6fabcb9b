import type { UserId } from '../../../protocol/ids.ts';
import type { Person } from '../../../protocol/contacts.ts';

export interface ContactsController {
  /** Everybody known so far, by display name. Reactive. */
  readonly people: readonly Person[];
  /** A known person, or a placeholder with an empty name until `ensure` has fetched them. */
  person(userId: UserId): Person;
  ensure(users: readonly UserId[]): Promise<void>;
  /** Searches the directory (or, offline, the people known so far). */
  find(text: string): Promise<readonly Person[]>;
}
