import type { Person } from '../../../protocol/contacts.ts';
import type { Profile } from '../profile.ts';

/** See `Vault.people`. */
export async function people({ db, sealer }: Profile): Promise<readonly Person[]> {
  const rows = await db.people.toArray();
  return Promise.all(rows.map(({ userId, sealed }) => sealer.open<Person>('people', userId, sealed)));
}

/** See `Vault.keepPeople`. */
export async function keepPeople({ db, sealer }: Profile, known: readonly Person[]): Promise<void> {
  const rows = await Promise.all(
    known.map(async (person) => ({
      userId: person.userId,
      sealed: await sealer.seal('people', person.userId, person),
    })),
  );
  await db.people.bulkPut(rows);
}
