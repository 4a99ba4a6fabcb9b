import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { publishProfile } from '../../../protocol/contacts.ts';
import { HeadlessClient, until } from '../../testing/headless-client.ts';
import { ServerProcess } from '../../testing/server-process.ts';

/* A server that calls an account something else than its own devices have confirmed. */

let server: ServerProcess;
let ada: HeadlessClient;
beforeAll(async () => {
  server = await ServerProcess.start();
  ada = await HeadlessClient.join(server.origin, server.invitation, 'ada');
});
afterAll(async () => {
  ada.close();
  await server.dispose();
});

/** Whoever runs the server writes what they like into its database; the client comes back and fetches everything anew. */
async function meddle(change: string): Promise<void> {
  await server.kill();
  const db = new DatabaseSync(join(server.dataDir, 'teahouse.db'));
  db.exec(change);
  db.close();
  await until(() => ada.connection.state.kind !== 'online', 'the loss is noticed');
  await server.start();
  ada.network = false;
  ada.network = true;
  await ada.online();
}

it('is asked once to take the confirmed name, and the person is told; when it takes it again, that is over', async () => {
  await until(() => ada.contacts.person(ada.userId).trust === 'signed', 'the own name is confirmed');
  expect(ada.contacts.ownNameDoubted).toBe(false);
  const request = vi.spyOn(ada.connection, 'request');
  const published = () => request.mock.calls.filter(([method]) => method.name === publishProfile.name).length;
  const lose = 'profile_version = null, profile_payload = null, profile_signature = null';

  await meddle(`update accounts set display_name = 'The Boss', ${lose} where username = 'ada'`);
  expect(ada.contacts.ownNameDoubted).toBe(true);
  expect(ada.contacts.person(ada.userId)).toMatchObject({ displayName: 'ADA', trust: 'doubtful' });
  expect(published()).toBe(1);
  for (let i = 0; i < 3; i++) await meddle('select 1');
  expect(published()).toBe(1);

  await meddle(`update accounts set display_name = 'ADA' where username = 'ada'`);
  expect(published()).toBe(2);
  expect(ada.contacts.ownNameDoubted).toBe(false);
  await meddle('select 1');
  expect(published()).toBe(2);
  // Nothing of it is a fault of the program.
  expect(ada.faults).toEqual([]);
}, 120_000);
