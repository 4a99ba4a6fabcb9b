import { z } from 'zod';
import { Account } from './accounts.ts';
import { UserId } from './ids.ts';
import { event, Nothing, query, setter } from './method.ts';
import { SignedProfile } from './profile.ts';
import { oneLine } from './text.ts';

/**
 * A colleague as the directory shows them. Where there is a `profile`, signed with the account key, it alone says what
 * the person is called; the plain names are for searching and ordering, and for clients that are older than it.
 */
export const Person = Account.extend({ profile: SignedProfile.optional() });
export type Person = z.infer<typeof Person>;

/** Finds people by the beginning of any word of the display name, or of the username; empty finds everybody. */
export const search = query(
  'contacts.search',
  { text: oneLine(0, 64), limit: z.int().min(1).max(200), after: UserId.optional() },
  z.strictObject({ people: z.array(Person), more: z.boolean() }),
);

export const get = query(
  'contacts.get',
  { users: z.array(UserId).min(1).max(200) },
  z.strictObject({ people: z.array(Person) }),
);

/**
 * Sets the asking account's signed profile. It must be signed with the account key, have a higher version than the one
 * before, and say the account's own names. The same profile once more changes nothing.
 * Errors: `profile_invalid`, `profile_outdated`.
 */
export const publishProfile = setter('contacts.publishProfile', { profile: SignedProfile }, Nothing);

/** Somebody joined or changed their name. */
export const changed = event('contacts.changed', { person: Person });
