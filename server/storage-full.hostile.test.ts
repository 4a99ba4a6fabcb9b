import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterEach, expect, it, vi } from 'vitest';
import { createInvitations } from '../protocol/accounts.ts';
import { acknowledge, pending } from '../protocol/chat.ts';
import { publishPrekeys } from '../protocol/devices.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { refusal } from './testing/expect-code.ts';
import { newId, Person, sendTo } from './testing/person.ts';
import { startTestServer, type TestServer } from './testing/test-server.ts';

/* What a colleague can do to a server whose disk is nearly full, and what everybody still can. */

const GB = 1_000_000_000;
/** The free space is looked at every five seconds; a busy machine is no failure. */
const PATIENT = { timeout: 30_000 };
let server: TestServer;
afterEach(() => server.dispose());

it('refuses what makes the data grow and nothing else, shows it, and recovers by itself', async () => {
  let free = 100 * GB;
  server = await startTestServer({ diskSpace: async () => ({ free, total: 100 * GB }) });
  const base = `http://127.0.0.1:${server.port}`;
  const [ada, bob] = [await server.join(new Person(), 'admin'), await server.join()];
  const { position } = await sendTo(ada.client, bob.person);
  const invite = { count: 1, role: 'member', validHours: 1 } as const;

  free = GB / 10;
  await vi.waitFor(() => refusal('storage_full', sendTo(ada.client, bob.person)), PATIENT);
  await refusal('storage_full', ada.client.request(createInvitations, { ...invite, idempotencyId: newId() }));
  await refusal('storage_full', ada.client.request(publishPrekeys, { prekeys: [], idempotencyId: newId() }));
  const again = await server.connect(await bob.person.signIn(bob.client, null));
  await again.close();
  const returning = await server.connect(bob.session);
  const { envelopes } = await returning.request(pending, { after: 0, limit: 100 });
  expect(envelopes[0]?.position).toBe(position);
  await returning.request(acknowledge, { queueIds: [position] });
  const left = await returning.request(pending, { after: 0, limit: 100 });
  expect(left.envelopes).toEqual(envelopes.slice(1));
  const ready = await fetch(`${base}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready', warnings: ['storage_full'] }]);
  const metrics = await (await fetch(`${base}/metrics`)).text();
  expect(metrics).toMatch(/^teahouse_storage_full 1$/m);
  expect(metrics).toMatch(/^teahouse_disk_free_bytes 100000000$/m);

  free = 100 * GB;
  await vi.waitFor(() => sendTo(ada.client, bob.person), PATIENT);
  expect(await (await fetch(`${base}/readyz`)).json()).toEqual({ status: 'ready' });
});

it('loses nothing when the database can grow no more amid sending, and acknowledgements in the same moment go through', async () => {
  server = await startTestServer({});
  const [ada, bob] = [await server.join(), await server.join()];
  const payload = randomBytes(60_000).toString('base64');
  const limitPages = (pages: number) => sql`pragma max_page_count = ${sql.lit(pages)}`.execute(server.store.db);
  await limitPages(400);
  const accepted: number[] = [];
  const codes = new Set<string>();
  for (let round = 0; round < 40 && codes.size === 0; round++) {
    const sends = Array.from({ length: 8 }, () =>
      sendTo(ada.client, bob.person, newId(), payload).then(
        ({ position }) => accepted.push(position),
        (error: unknown) => codes.add(error instanceof ProtocolError ? error.code : String(error)),
      ),
    );
    await Promise.all(sends);
  }
  expect([...codes]).toEqual(['storage_full']);
  const queue = async () =>
    (await bob.client.request(pending, { after: 0, limit: 100 })).envelopes.map((one) => one.queueId);
  expect(await queue()).toEqual(accepted.slice(0, (await queue()).length));
  const [first = 0, ...rest] = accepted;
  await Promise.all([
    bob.client.request(acknowledge, { queueIds: [first] }),
    ...Array.from({ length: 4 }, () => sendTo(ada.client, bob.person, newId(), payload).catch(() => null)),
  ]);
  expect((await queue())[0]).toBe(rest[0]);
  await limitPages(1_000_000);
  await vi.waitFor(() => sendTo(ada.client, bob.person, newId(), payload), PATIENT);
});
