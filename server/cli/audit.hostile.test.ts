import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createInvitations } from '../../protocol/accounts.ts';
import { createLog } from '../log.ts';
import { newId, Person } from '../testing/person.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

/* Whoever has a shell on the server decides over accounts; what was decided is in the server's log, as for administrators. */

const lines: string[] = [];
const log = createLog('info', { write: (line) => void lines.push(line) });
const said = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ audit }) => audit);

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ log });
});
afterAll(() => server.dispose());

function teahouse(...argv: string[]): Promise<string> {
  const main = join(import.meta.dirname, 'main.ts');
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env.PATH } };
    execFile(process.execPath, [main, ...argv, '--data', server.dataDir], options, (_, out) => resolve(out));
  });
}

it('every act of the command line is in the log, with whom it was done to, and no secret', async () => {
  const { person } = await server.join(new Person('Ann O’Nymous', 'ann'));
  const of = person.userId;
  const told = [
    await teahouse('invite', '--count', '2', '--role', 'guest'),
    await teahouse('suspend', 'ann'),
    await teahouse('suspend', 'ann'),
    await teahouse('reinstate', 'ann'),
    await teahouse('reset-password', 'ann'),
    await teahouse('people'),
    await teahouse('remove', 'ann'),
    await teahouse('remove', 'ann', '--yes'),
  ];
  await expect.poll(() => said().length, { timeout: 30_000, interval: 200 }).toBe(5);
  const by = 'command line';
  expect(said().map(({ audit }) => audit)).toEqual(['invite', 'suspend', 'reinstate', 'reset-password', 'remove']);
  expect(said()[0]).toMatchObject({ by, role: 'guest', count: 2 });
  for (const line of said().slice(1)) expect(line).toMatchObject({ by, of });
  for (const { at } of said()) expect(Math.abs(Date.parse(String(at)) - Date.now())).toBeLessThan(600_000);

  const secrets = told.join('\n').match(/[\w-]{43}/g) ?? [];
  expect(secrets).toHaveLength(3);
  const all = lines.join('');
  for (const secret of [...secrets, 'Ann O', '"ann"']) expect(all).not.toContain(secret);
  const rows = await server.store.db.selectFrom('commandActs').selectAll().execute();
  expect(rows).toEqual([]);
});

it('invitations that an administrator makes are in the log, too', async () => {
  const { client, person } = await server.join(new Person(), 'admin');
  const asked = { count: 2, role: 'admin', validHours: 1, idempotencyId: newId() } as const;
  const { invitations } = await client.request(createInvitations, asked);
  const own = said().filter(({ audit }) => audit === createInvitations.name);
  expect(own).toMatchObject([{ by: person.userId, role: 'admin', count: 2 }]);
  for (const token of invitations) expect(lines.join('')).not.toContain(token);
});

it('what was done while no server ran is in the log of the next, and what could not be done is in none', async () => {
  const { person } = await server.join(new Person('Bea', 'bea'));
  await server.close();
  const before = said().length;
  await teahouse('suspend', 'nobody.here');
  await teahouse('suspend', 'bea');
  expect(said()).toHaveLength(before);
  const next = await startTestServer({ log }, { TEAHOUSE_DATA: server.dataDir });
  await expect.poll(() => said().length, { timeout: 30_000 }).toBe(before + 1);
  expect(said().at(-1)).toMatchObject({ audit: 'suspend', of: person.userId });
  await next.close();
});
