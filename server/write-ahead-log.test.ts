import { closeSync, cpSync, openSync, readSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { pending } from '../protocol/chat.ts';
import { openStore } from './store/store.ts';
import { DamagedLogError, requireSoundLog } from './store/write-ahead-log.ts';
import { newMember as memberOf } from './testing/new-member.ts';
import { newId, sendTo } from './testing/person.ts';
import { startServerProcess, type ServerProcess } from './testing/server-process.ts';
import { SocketClient } from './testing/socket-client.ts';

/* What a server makes of a write-ahead log that is wrong, or of a database that is gone, with a real server process. */

const PATIENT = { timeout: 60_000, interval: 200 };
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const SENT = 60;
const FRAME = 24 + 4096;
const STACK = /\n\s+at /;

/** Killed with all its messages in the log. */
let killed: string;
let session: string;
let dataDir: string;
let server: ServerProcess | undefined;

beforeAll(async () => {
  killed = await mkdtemp(join(tmpdir(), 'teahouse-log-'));
  server = await startServerProcess(killed);
  const [ada, bob] = [await newMember(killed), await newMember(killed)];
  const client = await connect(ada.session);
  for (let sent = 0; sent < SENT; sent++) await sendTo(client, bob.person, newId());
  session = bob.session;
  await server.end('SIGKILL');
});
afterAll(() => rm(killed, { recursive: true, force: true }));
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'teahouse-log-'));
  cpSync(killed, dataDir, { recursive: true });
});
afterEach(async () => {
  await server?.end('SIGKILL');
  server = undefined;
  await rm(dataDir, { recursive: true, force: true });
});

const newMember = (folder: string) => memberOf({ dataDir: folder }, server?.base ?? '');

async function connect(of: string): Promise<SocketClient> {
  const client = await SocketClient.connect(server?.base ?? '');
  await client.hello({ session: of as never });
  return client;
}

async function waiting(): Promise<number> {
  const client = await connect(session);
  const { envelopes } = await client.request(pending, { after: 0, limit: 100 });
  return envelopes.length;
}

const database = () => join(dataDir, 'teahouse.db');
const log = () => `${database()}-wal`;
/** Frames of the log as it was killed. */
const frames = () => Math.floor((statSync(log()).size - 32) / FRAME);

function flip(path: string, at: number): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ 1;
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}

/** Starts a server; what it said where it does not start. */
async function start(): Promise<string | null> {
  try {
    server = await startServerProcess(dataDir);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('a log that is damaged', () => {
  it.each([
    ['its header', () => flip(log(), 17)],
    ['the first frame', () => flip(log(), 32 + 24 + 100)],
    ['a frame amid', () => flip(log(), 32 + Math.floor(frames() / 2) * FRAME + 24 + 7)],
    ['the salt of a frame', () => flip(log(), 32 + Math.floor(frames() / 3) * FRAME + 9)],
    ['the checksum of a frame', () => flip(log(), 32 + Math.floor(frames() / 3) * FRAME + 20)],
    ['its database is gone', () => rmSync(database())],
  ])('ends the start with a sentence, and stays as it is: %s', async (_, damage) => {
    rmSync(join(dataDir, 'has-accounts'), { force: true });
    damage();
    const size = statSync(log()).size;
    const said = await start();
    expect(said).toMatch(/ended with 1: .*is damaged.*restore the last backup/);
    expect(said).not.toMatch(STACK);
    expect(statSync(log()).size).toBe(size);
  });
});

describe('a log as a crash leaves it', () => {
  it('is read whole after a kill', async () => {
    expect(await start()).toBeNull();
    expect(await waiting()).toBe(SENT);
  });

  it('may end anywhere', () => {
    const end = statSync(log()).size;
    for (let step = 0; step < 40; step++) {
      truncateSync(log(), Math.floor((end * (40 - step)) / 41) + step);
      expect(() => requireSoundLog(database())).not.toThrow();
    }
    for (const size of [31, 32, 0]) {
      truncateSync(log(), size);
      expect(() => requireSoundLog(database())).not.toThrow();
    }
  });

  it('may hold the last transaction in part, out of order, and starts without it', async () => {
    // The last send is one transaction of several frames; any but the last, which commits it, may be missing.
    const commits = commitFrames();
    const last = commits.at(-1) ?? 0;
    const first = (commits.at(-2) ?? 0) + 1;
    expect(last).toBeGreaterThan(first);
    flip(log(), 32 + first * FRAME + 24 + 5);
    expect(() => requireSoundLog(database())).not.toThrow();
    expect(await start()).toBeNull();
    expect(await waiting()).toBe(SENT - 1);
  });

  it('is damaged once two right transactions stand behind what is wrong', () => {
    const before = commitFrames().at(-2) ?? 0;
    flip(log(), 32 + before * FRAME + 24 + 5);
    // One that follows is not enough to know: it may be what an earlier crash left.
    expect(() => requireSoundLog(database())).not.toThrow();
    const one = commitFrames().at(-3) ?? 0;
    flip(log(), 32 + before * FRAME + 24 + 5);
    flip(log(), 32 + one * FRAME + 24 + 5);
    expect(() => requireSoundLog(database())).toThrow(DamagedLogError);
  });
});

function commitFrames(): number[] {
  const file = openSync(log(), 'r');
  const header = Buffer.alloc(32);
  readSync(file, header, 0, 32, 0);
  const found: number[] = [];
  for (let at = 0; at < frames(); at++) {
    const frame = Buffer.alloc(24);
    readSync(file, frame, 0, 24, 32 + at * FRAME);
    const own = frame.subarray(8, 16).equals(header.subarray(16, 24));
    if (own && frame.readUInt32BE(4) !== 0) found.push(at);
  }
  closeSync(file);
  return found;
}

describe('a database that held accounts', () => {
  const marked = async () => {
    expect(await start()).toBeNull();
    await server?.end('SIGTERM');
  };

  it.each([
    ['is gone', () => rmSync(database())],
    ['is empty', () => truncateSync(database(), 0)],
  ])('%s: the server says so, and makes no link for a first administrator', async (_, damage) => {
    await marked();
    damage();
    const said = await start();
    expect(said).toMatch(/ended with 1: .*people had accounts.*restore the last backup.*begin anew/);
    expect(said).not.toMatch(STACK);
  });

  it('is another one, without accounts', async () => {
    await marked();
    const other = await mkdtemp(join(tmpdir(), 'teahouse-log-'));
    await (await openStore({ dataDir: other })).close();
    for (const left of [log(), `${database()}-shm`]) rmSync(left, { force: true });
    cpSync(join(other, 'teahouse.db'), database());
    await rm(other, { recursive: true });
    expect(await start()).toMatch(/ended with 1: .*holds no account any more/);
  });

  it('is marked while the server runs', async () => {
    for (const file of ['teahouse.db', 'teahouse.db-wal', 'teahouse.db-shm'])
      rmSync(join(dataDir, file), { force: true });
    rmSync(join(dataDir, 'has-accounts'), { force: true });
    expect(await start()).toBeNull();
    await expect.poll(() => server?.output.text, PATIENT).toContain('first administrator');
    await newMember(dataDir);
    await expect.poll(() => statSync(join(dataDir, 'has-accounts'), { throwIfNoEntry: false }), PATIENT).toBeDefined();
  });
});

it('stands in its main file once it is quiet, and after an orderly end', async () => {
  expect(await start()).toBeNull();
  const member = await newMember(dataDir);
  await connect(member.session);
  const alone = async () => {
    const folder = await mkdtemp(join(tmpdir(), 'teahouse-log-'));
    cpSync(database(), join(folder, 'teahouse.db'));
    const store = await openStore({ dataDir: folder });
    const found = await store.db.selectFrom('accounts').select('userId').execute();
    await store.close();
    await rm(folder, { recursive: true });
    return found.length;
  };
  await expect.poll(alone, PATIENT).toBe(3);
  await newMember(dataDir);
  await server?.end('SIGTERM');
  expect(statSync(log(), { throwIfNoEntry: false })).toBeUndefined();
  expect(await alone()).toBe(4);
});
