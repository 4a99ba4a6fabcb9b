import type { Account } from '../../../protocol/accounts.ts';
import type { Person } from '../../../protocol/contacts.ts';

/** What a person is made of. */
export const PERSON_COLUMNS = [
  'accounts.userId',
  'username',
  'displayName',
  'role',
  'accountKey',
  'profilePayload',
  'profileSignature',
] as const;

interface PersonRow extends Account {
  readonly accountKey: string;
  readonly profilePayload: string | null;
  readonly profileSignature: string | null;
}

/** A person as they cross the wire, with their profile if they have published one. */
export function personOf({ accountKey, profilePayload, profileSignature, ...account }: PersonRow): Person {
  if (profilePayload === null || profileSignature === null) return account;
  return { ...account, profile: { accountKey, payload: profilePayload, signature: profileSignature } };
}
