import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkInvitation, checkReset } from '../../protocol/accounts.ts';
import { CloseCode } from '../../protocol/frames.ts';
import { Person } from '../testing/person.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.dispose());

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function teahouse(...argv: string[]): Promise<Ended> {
  const main = join(import.meta.dirname, 'main.ts');
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...argv], { env: { PATH: process.env.PATH } }, (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err });
    });
  });
}

async function roleOf(link: string): Promise<string> {
  const invitation = new URL(link).hash.replace('#/join/', '');
  return (await (await server.connect()).request(checkInvitation, { invitation })).role;
}

describe('invite', () => {
  it('prints a link for the running server, which works at once', async () => {
    const { code, out } = await teahouse('invite', '--data', server.dataDir);
    expect(code).toBe(0);
    const links = out.trim().split('\n');
    expect(links).toHaveLength(1);
    expect(links[0]).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${server.port}/#/join/[\\w-]{43}$`));
    expect(await roleOf(links[0] ?? '')).toBe('member');
  });

  it('prints several, for a role, as JSON', async () => {
    const { out } = await teahouse('invite', '--data', server.dataDir, '--count', '3', '--role', 'guest', '--json');
    const { role, links, expiresAt } = JSON.parse(out) as { role: string; links: string[]; expiresAt: string };
    expect([role, new Set(links).size]).toEqual(['guest', 3]);
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now() + 6 * 24 * 3_600_000);
    expect(await roleOf(links[2] ?? '')).toBe('guest');
  });

  it('says what to do where the database is damaged', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'teahouse-damaged-'));
    await writeFile(join(folder, 'teahouse.db'), 'no database');
    const address = { origin: 'http://teahouse.test', pid: process.pid, version: 'test' };
    await writeFile(join(folder, 'server.json'), JSON.stringify(address));
    const { code, err } = await teahouse('invite', '--data', folder);
    await rm(folder, { recursive: true });
    expect(code).toBe(2);
    expect(err).toMatch(/is damaged.*restore the last backup/);
    expect(err).not.toMatch(/\n\s+at /);
  });

  it.each([
    [['--count', '0'], '--count must be from 1 to 1000'],
    [['--count', 'x'], '--count must be from 1 to 1000'],
    [['--role', 'king'], '--role must be admin, member or guest'],
    [['--cuont', '1'], 'Usage: invite'],
  ])('says what is wrong with %j', async (argv, words) => {
    const { code, err, out } = await teahouse('invite', '--data', server.dataDir, ...argv);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(words);
    expect(err).not.toContain('at ');
  });

  it('says that a folder holds no data, and makes none', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'teahouse-empty-'));
    const { code, err } = await teahouse('invite', '--data', empty);
    expect(code).toBe(2);
    expect(err).toContain('There is no server’s data');
    await rm(empty, { recursive: true });
  });

  it('says that no server runs, also when one was killed and left its address', async () => {
    const stopped = await startTestServer();
    await stopped.close();
    const { code, err } = await teahouse('invite', '--data', stopped.dataDir);
    expect(code).toBe(2);
    expect(err).toContain('No server is running');
    const left = { origin: 'http://127.0.0.1:9', pid: 2 ** 22 + 1, version: '0' };
    await writeFile(join(stopped.dataDir, 'server.json'), JSON.stringify(left));
    expect((await teahouse('invite', '--data', stopped.dataDir)).err).toContain('No server is running');
    await rm(stopped.dataDir, { recursive: true });
  });
});

describe('people', () => {
  it('are listed, suspended, reinstated and removed, and the running server acts on it', async () => {
    const data = ['--data', server.dataDir];
    const { person, client } = await server.join(new Person('Ann O’Nymous', 'ann'), 'admin');
    expect((await teahouse('people', 'nymous', ...data)).out).toMatch(/^ann\tadmin\tactive\t\S+\tAnn O’Nymous\n$/);
    const last = await teahouse('suspend', 'ann', ...data);
    expect([last.code, last.err]).toEqual([2, expect.stringContaining('only administrator')]);
    await server.join(new Person(), 'admin');
    expect(await teahouse('suspend', '@Ann', ...data)).toMatchObject({
      code: 0,
      out: expect.stringContaining('suspended') as string,
    });
    expect(await client.closed).toBe(CloseCode.sessionRevoked);
    expect((await teahouse('reinstate', 'ann', ...data)).out).toBe('ann is reinstated.\n');
    expect((await teahouse('reinstate', 'ann', ...data)).out).toBe('ann was reinstated before.\n');
    const visitor = await server.connect();
    const again = await server.connect(await person.signIn(visitor, (await visitor.hello()).challenge));
    expect((await teahouse('remove', 'ann', ...data)).err).toContain('cannot be undone');
    expect((await teahouse('remove', 'ann', '--yes', ...data)).code).toBe(0);
    expect(await again.closed).toBe(CloseCode.sessionRevoked);
    expect((await teahouse('suspend', 'ann', ...data)).err).toContain('was removed before');
    expect((await teahouse('suspend', 'nobody.here', ...data)).err).toContain('There is no account');
  });

  it('get a link to a new password', async () => {
    await server.join(new Person('Bea', 'bea'));
    const { out } = await teahouse('reset-password', 'bea', '--data', server.dataDir);
    const [, reset = ''] = /^http:\S+\/#\/reset\/([\w-]{43})\n$/.exec(out) ?? [];
    expect(await (await server.connect()).request(checkReset, { reset })).toMatchObject({ username: 'bea' });
    expect((await teahouse('reset-password', '--data', server.dataDir)).err).toContain('Usage: reset-password NAME');
  });
});

it('lists its commands, and refuses another', async () => {
  expect(await teahouse()).toMatchObject({ code: 0, out: expect.stringContaining('invite [--count N]') as string });
  expect(await teahouse('toString')).toMatchObject({
    code: 2,
    err: expect.stringContaining('There is no command') as string,
  });
});
