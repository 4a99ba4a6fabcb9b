import { z } from 'zod';
import { Account } from './accounts.ts';
import { UserId } from './ids.ts';
import { event, query } from './method.ts';
import { oneLine } from './text.ts';

/** A colleague as the directory shows them. */
export const Person = Account;
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

/** Somebody joined or changed their name. */
export const changed = event('contacts.changed', { person: Person });
