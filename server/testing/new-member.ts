import { createInvitations } from '../modules/accounts/index.ts';
import { openStore, type StoreOptions } from '../store/store.ts';
import { Person } from './person.ts';
import { SocketClient } from './socket-client.ts';

/** An invitation for one member, written into the database beside the server that serves it. */
export async function newInvitation(place: StoreOptions): Promise<string> {
  const store = await openStore(place);
  const { invitations } = await createInvitations(store.db, {
    count: 1,
    role: 'member',
    validHours: 1,
    createdBy: null,
    requestId: null,
    now: Date.now(),
  });
  await store.close();
  return invitations[0] ?? '';
}

/** Somebody who has just signed up with the server at `base`. */
export async function newMember(place: StoreOptions, base: string): Promise<{ person: Person; session: string }> {
  const token = await newInvitation(place);
  const visitor = await SocketClient.connect(base);
  await visitor.hello();
  const person = new Person();
  const { session } = await person.signUp(visitor, token);
  await visitor.close();
  return { person, session };
}
