import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectTo, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { pending } from '../protocol/chat.ts';
import { ProtocolError } from '../protocol/errors.ts';
import type { IdempotencyId } from '../protocol/ids.ts';
import { explainStorage } from './store/explain-storage.ts';
import { openStore } from './store/store.ts';
import { newMember as memberOf } from './testing/new-member.ts';
import { newId, sendTo } from './testing/person.ts';
import { findPostgres, startPostgres, type Postgres } from './testing/postgres.ts';
import { startServerProcess, type ServerProcess } from './testing/server-process.ts';
import { smallDisk } from './testing/small-disk.ts';
import { SocketClient } from './testing/socket-client.ts';

/* PostgreSQL goes away under load and comes back, or is not there when the server starts. */

const MAIN = join(import.meta.dirname, 'main.ts');

/** A busy machine is no failure. */
const PATIENT = { timeout: 60_000 };
vi.setConfig({ testTimeout: 180_000 });

const programs = findPostgres();
const probe = smallDisk(1);
probe?.remove();

describe.skipIf(programs === null)('PostgreSQL (skipped where it is not installed)', () => {
  let postgres: Postgres;
  let url: string;
  let dataDir: string;
  let server: ServerProcess | undefined;

  beforeAll(async () => {
    postgres = await startPostgres(programs ?? '');
  });
  afterAll(() => postgres.stop());
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'teahouse-postgres-faults-'));
    url = await postgres.createDatabase();
  });
  afterEach(async () => {
    await server?.end('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  });

  const newMember = (base: string) => memberOf({ dataDir, databaseUrl: url }, base);

  async function connect(base: string, session: string): Promise<SocketClient> {
    const client = await SocketClient.connect(base);
    await client.hello({ session: session as never });
    return client;
  }

  it('goes away under load and comes back: what was acknowledged is there, the rest was refused and goes through', async () => {
    server = await startServerProcess(dataDir, { DATABASE_URL: url });
    const [ada, bob] = [await newMember(server.base), await newMember(server.base)];
    const client = await connect(server.base, ada.session);
    const wanted: IdempotencyId[] = [];
    const answered = new Set<IdempotencyId>();
    const refusals = new Set<string>();
    const until = new AbortController();
    const sender = async () => {
      while (!until.signal.aborted) {
        const id = newId();
        wanted.push(id);
        await sendTo(client, bob.person, id).then(
          () => answered.add(id),
          (error: unknown) => refusals.add(error instanceof ProtocolError ? error.code : String(error)),
        );
        // Within the limit of requests.
        await delay(50);
      }
    };
    const load = Promise.all(Array.from({ length: 8 }, sender));
    for (let crash = 1; crash <= 3; crash++) {
      const before = answered.size;
      await expect.poll(() => answered.size, PATIENT).toBeGreaterThan(before + 50);
      await postgres.crash();
      await expect.poll(() => fetch(`${server?.base}/readyz`).then(({ status }) => status), PATIENT).toBe(503);
      await delay(300);
      await postgres.restart();
      await expect.poll(() => fetch(`${server?.base}/readyz`).then(({ status }) => status), PATIENT).toBe(200);
    }
    const last = answered.size;
    await expect.poll(() => answered.size, PATIENT).toBeGreaterThan(last + 50);
    until.abort();
    await load;
    expect([...refusals]).toEqual(['unavailable']);
    expect(server.process.exitCode, 'the server lives').toBeNull();
    expect(server.output.log).not.toContain('a handler failed');

    const missing = wanted.filter((id) => !answered.has(id));
    expect(missing.length).toBeGreaterThan(0);
    for (const id of missing) await sendTo(client, bob.person, id);
    const receiver = await connect(server.base, bob.session);
    const received: string[] = [];
    for (let after = 0, more = true; more;) {
      const page = await receiver.request(pending, { after, limit: 100 });
      received.push(...page.envelopes.map(({ messageId }) => messageId));
      after = page.envelopes.at(-1)?.queueId ?? after;
      more = page.more;
    }
    expect(received.toSorted()).toEqual(wanted.toSorted());
  });

  it('hangs: requests are refused, and it goes on by itself', async () => {
    // As an operator may set it, too.
    const bounded = `${url}?query_timeout=1500&statement_timeout=1200`;
    server = await startServerProcess(dataDir, { DATABASE_URL: bounded });
    const [ada, bob] = [await newMember(server.base), await newMember(server.base)];
    const client = await connect(server.base, ada.session);
    await sendTo(client, bob.person);
    await postgres.hang();
    const ids = Array.from({ length: 15 }, () => newId());
    const refused = await Promise.allSettled(ids.map((id) => sendTo(client, bob.person, id)));
    expect(new Set(refused.map((one) => (one.status === 'rejected' ? one.reason.code : 'answered')))).toEqual(
      new Set(['unavailable']),
    );
    await postgres.goOn();
    await expect.poll(() => fetch(`${server?.base}/readyz`).then(({ status }) => status), PATIENT).toBe(200);
    for (const id of ids) await sendTo(client, bob.person, id);
    expect(server.process.exitCode, 'the server lives').toBeNull();
    expect(server.output.log).toContain('the database answers again');
    expect(server.output.log).not.toContain('a handler failed');
    const receiver = await connect(server.base, bob.session);
    expect((await receiver.request(pending, { after: 0, limit: 100 })).envelopes).toHaveLength(ids.length + 1);
  });

  it('is cut off without a word: connections that gave no answer are replaced', async () => {
    const held: Socket[] = [];
    const line = createServer((client) => {
      const beyond = connectTo(Number(new URL(url).port), '127.0.0.1');
      held.push(client, beyond);
      client.pipe(beyond).pipe(client);
      for (const socket of [client, beyond]) socket.on('error', () => undefined);
    }).listen(0, '127.0.0.1');
    await once(line, 'listening');
    const through = new URL(url);
    through.port = String((line.address() as AddressInfo).port);
    const store = await openStore({ dataDir, databaseUrl: `${through.href}?query_timeout=800` });
    const ask = () => sql`select pg_sleep(0.1)`.execute(store.db);
    const three = () => Promise.allSettled([ask(), ask(), ask()]);
    await three();
    for (const socket of held) socket.unpipe();
    const failed = await three();
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    const after = await three();
    expect(after.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
    for (const socket of held) socket.destroy();
    line.close();
    await store.close();
  });

  it('hangs within a transaction: that fails, and its locks are let go', async () => {
    const store = await openStore({ dataDir, databaseUrl: `${url}?query_timeout=800` });
    await sql`create table held (id int primary key, value int)`.execute(store.db);
    await sql`insert into held values (1, 1)`.execute(store.db);
    let first = true;
    const transaction = store.transaction(async (trx) => {
      await sql`update held set value = 2`.execute(trx);
      if (first) await postgres.hang();
      first = false;
      await sql`select 1`.execute(trx);
    });
    await expect(transaction).rejects.toThrow('Query read timeout');
    await postgres.goOn();
    await store.transaction(async (trx) => void (await sql`update held set value = value + 10`.execute(trx)));
    expect((await sql<{ value: number }>`select value from held`.execute(store.db)).rows).toEqual([{ value: 11 }]);
    await store.close();
  });

  it('hangs at the begin of a transaction: that connection is not used again, or nothing on it would be committed', async () => {
    const store = await openStore({ dataDir, databaseUrl: `${url}?query_timeout=800` });
    await sql`create table kept (name text)`.execute(store.db);
    const write = (name: string) => sql`insert into kept values (${name})`.execute(store.db);
    await write('before');
    await postgres.hang();
    await expect(store.transaction(async (trx) => void (await sql`select 1`.execute(trx)))).rejects.toThrow(
      'Query read timeout',
    );
    await postgres.goOn();
    await write('after');
    // Closing ends its connections: what they had not committed is gone.
    await store.close();
    const again = await openStore({ dataDir, databaseUrl: url });
    const { rows } = await sql<{ name: string }>`select name from kept order by name`.execute(again.db);
    expect(rows.map(({ name }) => name)).toEqual(['after', 'before']);
    await again.close();
  });

  it('lets migrations take their time', async () => {
    const bounded = `${url}?query_timeout=300&statement_timeout=200`;
    const first = await openStore({ dataDir, databaseUrl: url });
    // Two processes start at once: the second waits for the first one's migration.
    const holding = first.db.transaction().execute(async (trx) => {
      await sql`select pg_advisory_xact_lock(3853314791062309107)`.execute(trx);
      await delay(1500);
    });
    await delay(100);
    const second = await openStore({ dataDir, databaseUrl: bounded });
    await expect(sql`select pg_sleep(1)`.execute(second.db)).rejects.toThrow(/statement timeout|Query read timeout/);
    await holding;
    await Promise.all([first.close(), second.close()]);
  });

  it('goes away in the midst of a transaction: that fails, the process lives, the next one works', async () => {
    const errors: Error[] = [];
    const store = await openStore({ dataDir, databaseUrl: url, onError: (error) => void errors.push(error) });
    const transaction = store.transaction(async (trx) => {
      await sql`select 1`.execute(trx);
      await postgres.crash();
      // Nothing is asked of the connection while it is lost: nobody waits for an answer that would carry the error.
      await delay(500);
      await sql`select 1`.execute(trx);
    });
    await expect(transaction).rejects.toThrow();
    expect(errors.length).toBeGreaterThan(0);
    await postgres.restart();
    await store.transaction(async (trx) => void (await sql`select 1`.execute(trx)));
    await store.close();
  });

  it.skipIf(probe === null)(
    'serves although the data folder is full: its address is not written, and the log says so',
    async () => {
      server = await startServerProcess(dataDir, { DATABASE_URL: url });
      const [ada, bob] = [await newMember(server.base), await newMember(server.base)];
      await server.end('SIGTERM');
      const disk = smallDisk(1);
      if (!disk) throw new Error('mounting worked before');
      try {
        disk.fill();
        server = await startServerProcess(disk.path, { DATABASE_URL: url });
        await sendTo(await connect(server.base, ada.session), bob.person);
        expect(server.output.log).toContain('the address could not be written');
        await server.end('SIGKILL');
      } finally {
        disk.remove();
      }
    },
  );

  it('is not there at the start: a sentence without the password, and the server serves once it comes', async () => {
    await postgres.crash();
    const withPassword = new URL(url);
    withPassword.password = 's3cret';
    const starting = startServerProcess(dataDir, { DATABASE_URL: withPassword.href });
    const first = await Promise.race([starting.then(() => 'serves'), delay(8000, 'waits', { ref: false })]);
    await postgres.restart();
    expect(first).toBe('waits');
    server = await starting;
    expect((await fetch(`${server.base}/readyz`)).status).toBe(200);
    expect(server.output.log.match(/PostgreSQL does not answer.*DATABASE_URL/g), 'said once').toHaveLength(1);
    expect(server.output.log).toContain('PostgreSQL answers now');
    expect(server.output.log).not.toMatch(/\n\s+at /);
    expect(server.output.log).not.toContain('s3cret');
  });

  it('is not there at the start: the server ends in order when it is asked to while it waits', async () => {
    await postgres.crash();
    try {
      const child = spawn(process.execPath, [MAIN, '--data', dataDir, '--port', '0'], {
        env: { PATH: process.env.PATH, TEAHOUSE_MEDIA_WORKERS: '0', DATABASE_URL: url },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const ended = once(child, 'close');
      let said = '';
      child.stderr.on('data', (data: Buffer) => void (said += data.toString()));
      await expect.poll(() => said, PATIENT).toContain('PostgreSQL does not answer');
      child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
      expect(said).not.toMatch(/\n\s+at /);
    } finally {
      await postgres.restart();
    }
  });

  it.each([
    [
      'a database that there is not',
      (at: URL) => (at.pathname = '/nowhere'),
      /no database of the name in DATABASE_URL/,
    ],
    ['a user that there is not', (at: URL) => (at.username = 'nobody'), /refuses the user of DATABASE_URL/],
  ])('refuses %s: a sentence, and an end at once', async (_, change, words) => {
    const wrong = new URL(url);
    change(wrong);
    wrong.password = 's3cret';
    const said = await startServerProcess(dataDir, { DATABASE_URL: wrong.href }).then(
      () => 'it has started',
      (error: unknown) => (error as Error).message,
    );
    expect(said).toMatch(/ended with 1: /);
    expect(said).toMatch(words);
    expect(said).not.toMatch(/\n\s+at /);
    expect(said).not.toContain('s3cret');
  });

  it('a password that is refused or missing is said in a sentence', () => {
    const place = { dataDir, databaseUrl: url };
    const refused = Object.assign(new Error('password authentication failed'), { code: '28P01' });
    for (const error of [refused, new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string')])
      expect(explainStorage(error, place)).toMatch(/refuses the password of DATABASE_URL/);
  });
});
