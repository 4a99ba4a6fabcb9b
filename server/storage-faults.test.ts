import { randomBytes } from 'node:crypto';
import { closeSync, openSync, statSync, truncateSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { acknowledge, pending } from '../protocol/chat.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { newMember as memberOf } from './testing/new-member.ts';
import { newId, type Person, sendTo } from './testing/person.ts';
import { startServerProcess, type ServerProcess } from './testing/server-process.ts';
import { smallDisk, type SmallDisk } from './testing/small-disk.ts';
import { SocketClient } from './testing/socket-client.ts';

/* Real faults: a disk that is full, a folder that may not be written, a database file that is damaged. */

/** A busy machine is no failure. */
const PATIENT = { timeout: 60_000 };
vi.setConfig({ testTimeout: 180_000 });
const LARGE = randomBytes(60_000).toString('base64');
const STACK = /\n\s+at /;

let dataDir: string;
let server: ServerProcess | undefined;
afterEach(async () => {
  await server?.end('SIGKILL');
  server = undefined;
});

const newMember = () => memberOf({ dataDir }, server?.base ?? '');

async function connect(session: string): Promise<SocketClient> {
  const client = await SocketClient.connect(server?.base ?? '');
  await client.hello({ session: session as never });
  return client;
}

async function queueIds(client: SocketClient): Promise<number[]> {
  const ids: number[] = [];
  for (let more = true; more;) {
    const page = await client.request(pending, { after: ids.at(-1) ?? 0, limit: 100 });
    ids.push(...page.envelopes.map(({ queueId }) => queueId));
    more = page.more;
  }
  return ids;
}

/** Sends until that is refused. Returns what was accepted, and the code of the refusal. */
async function sendUntilRefused(client: SocketClient, to: Person): Promise<{ accepted: number[]; code: string }> {
  const accepted: number[] = [];
  for (let sent = 0; sent < 4000; sent += 8) {
    const burst = await Promise.allSettled(Array.from({ length: 8 }, () => sendTo(client, to, newId(), LARGE)));
    for (const one of burst) if (one.status === 'fulfilled') accepted.push(one.value.position);
    const refused = burst.find((one) => one.status === 'rejected');
    if (refused) return { accepted, code: refused.reason instanceof ProtocolError ? refused.reason.code : 'none' };
  }
  return { accepted, code: 'never refused' };
}

/** Starts a server that cannot start; returns what it said. */
async function failToStart(environment: Record<string, string> = {}): Promise<string> {
  const started = await startServerProcess(dataDir, environment).catch((error: unknown) => (error as Error).message);
  if (typeof started === 'string') return started;
  server = started;
  throw new Error('it has started');
}

const probe = smallDisk(1);
probe?.remove();

describe.skipIf(probe === null)(
  'on a disk of its own (skipped where nothing can be mounted: it takes root on Linux)',
  () => {
    let disk: SmallDisk;
    beforeEach(() => {
      const mounted = smallDisk(48);
      if (!mounted) throw new Error('mounting worked before');
      disk = mounted;
      dataDir = disk.path;
    });
    afterEach(async () => {
      await server?.end('SIGKILL');
      disk.remove();
    });

    it('refuses messages when the disk is full, loses none, lets people read and acknowledge, and recovers', async () => {
      server = await startServerProcess(dataDir);
      const [ada, bob] = [await newMember(), await newMember()];
      const client = await connect(ada.session);
      const { accepted, code } = await sendUntilRefused(client, bob.person);
      expect(code).toBe('storage_full');
      expect(accepted.length).toBeGreaterThan(10);

      // Something else takes the rest.
      disk.fill();
      const receiver = await connect(bob.session);
      expect(await queueIds(receiver)).toEqual(accepted);
      for (const id of accepted.slice(0, 10)) await receiver.request(acknowledge, { queueIds: [id] });
      expect(await queueIds(receiver)).toEqual(accepted.slice(10));
      const ready = await fetch(`${server.base}/readyz`);
      expect(ready.status).toBe(200);
      expect(await ready.json()).toMatchObject({ warnings: ['storage_full'] });
      expect(await (await fetch(`${server.base}/metrics`)).text()).toMatch(/^teahouse_storage_full 1$/m);
      expect(server.output.log).toContain('no space is left');
      expect(server.output.log.match(/no space is left/g)).toHaveLength(1);
      expect((await sendUntilRefused(client, bob.person)).accepted).toEqual([]);

      disk.free();
      await receiver.request(acknowledge, { queueIds: accepted.slice(10, 300) });
      const after = await vi.waitFor(() => sendTo(client, bob.person), PATIENT);
      expect(await queueIds(receiver)).toEqual([...accepted.slice(300), after.position]);
    });

    it('loses nothing when it is killed on a full disk, and says why it does not start there', async () => {
      server = await startServerProcess(dataDir);
      const [ada, bob] = [await newMember(), await newMember()];
      const { accepted } = await sendUntilRefused(await connect(ada.session), bob.person);
      await server.end('SIGKILL');
      disk.fill();
      const said = await failToStart().catch(() => 'it has started');
      if (said !== 'it has started') {
        expect(said).toMatch(/no space left .* free some space/i);
        expect(said).not.toMatch(STACK);
      }
      await server.end('SIGKILL');
      disk.free();
      server = await startServerProcess(dataDir);
      expect(await queueIds(await connect(bob.session))).toEqual(accepted);
    });

    it('does not start on a full and empty folder, and says so in a sentence', async () => {
      disk.fill();
      const said = await failToStart();
      expect(said).toMatch(/ended with 1: .*no space left .* free some space/i);
      expect(said).not.toMatch(STACK);
    });

    it('does not start in a folder that may not be written, and says so in a sentence', async () => {
      server = await startServerProcess(dataDir);
      await newMember();
      await server.end('SIGTERM');
      disk.readOnly(true);
      const said = await failToStart();
      expect(said).toMatch(/ended with 1: .*not possible to write in .* mounted for writing/i);
      expect(said).not.toMatch(STACK);
    });
  },
);

describe('on any disk', () => {
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'teahouse-faults-'));
  });
  afterEach(async () => {
    await server?.end('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  });

  const overwrite = (from: number, bytes: Buffer) => {
    const file = openSync(join(dataDir, 'teahouse.db'), 'r+');
    writeSync(file, bytes, 0, bytes.length, from);
    closeSync(file);
  };
  const startAndStop = async () => {
    server = await startServerProcess(dataDir);
    const [ada, bob] = [await newMember(), await newMember()];
    const client = await connect(ada.session);
    for (let i = 0; i < 40; i++) await sendTo(client, bob.person, newId(), LARGE);
    await client.close();
    await server.end('SIGTERM');
    return { ada, bob };
  };

  it.each([
    ['its header is garbage', () => overwrite(0, randomBytes(100))],
    ['it is cut off', () => truncateSync(join(dataDir, 'teahouse.db'), 3 * 4096)],
    ['its schema is garbage', () => overwrite(100, randomBytes(3996))],
  ])('says what to do when the database is damaged: %s', async (_, damage) => {
    await startAndStop();
    damage();
    const said = await failToStart();
    expect(said).toMatch(/ended with 1: .*is damaged.*restore the last backup/i);
    expect(said).not.toMatch(STACK);
  });

  it('writes no more to a database that turns out to be damaged, says so once, and lives', async () => {
    const { ada, bob } = await startAndStop();
    server = await startServerProcess(dataDir);
    const client = await connect(ada.session);
    const size = statSync(join(dataDir, 'teahouse.db')).size;
    // All but the first pages, which hold the schema.
    overwrite(60 * 4096, randomBytes(size - 60 * 4096));
    await server.end('SIGKILL');
    server = await startServerProcess(dataDir);
    const receiver = await connect(bob.session).catch((error: unknown) => error);
    const codes = new Set<string>();
    for (let i = 0; i < 5; i++) {
      const asked =
        receiver instanceof SocketClient
          ? receiver.request(pending, { after: 0, limit: 100 })
          : Promise.reject(receiver);
      await asked.catch((error: unknown) => codes.add((error as ProtocolError).code));
    }
    expect([...codes]).toEqual(['internal']);
    expect((await fetch(`${server.base}/readyz`)).status).toBe(503);
    expect((await fetch(`${server.base}/healthz`)).status).toBe(200);
    expect(server.output.log.match(/the database is damaged/g)).toHaveLength(1);
    expect(server.output.log).toContain('restore the last backup');
    client.socket.terminate();
  });
});
