import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { pending } from '../protocol/chat.ts';
import { ProtocolError } from '../protocol/errors.ts';
import type { IdempotencyId } from '../protocol/ids.ts';
import { openStore } from './store/store.ts';
import { createInvitations } from './modules/accounts/index.ts';
import { newId, Person, sendTo } from './testing/person.ts';
import { findPostgres, startPostgres, type Postgres } from './testing/postgres.ts';
import { startServerProcess, type ServerProcess } from './testing/server-process.ts';
import { smallDisk } from './testing/small-disk.ts';
import { SocketClient } from './testing/socket-client.ts';

/* PostgreSQL goes away under load and comes back, or is not there when the server starts. */

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

  async function newMember(base: string): Promise<{ person: Person; session: string }> {
    const store = await openStore({ dataDir, databaseUrl: url });
    const wanted = {
      count: 1,
      role: 'member',
      validHours: 1,
      createdBy: null,
      requestId: null,
      now: Date.now(),
    } as const;
    const [token = ''] = (await createInvitations(store.db, wanted)).invitations;
    await store.close();
    const visitor = await SocketClient.connect(base);
    await visitor.hello();
    const person = new Person();
    const { session } = await person.signUp(visitor, token);
    await visitor.close();
    return { person, session };
  }

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

  it('is not there at the start: a sentence, no stack trace, and not the password', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    taken.close();
    await once(taken, 'close');
    const databaseUrl = `postgres://teahouse:s3cret@127.0.0.1:${port}/teahouse`;
    const said = await startServerProcess(dataDir, { DATABASE_URL: databaseUrl }).then(
      () => 'it has started',
      (error: unknown) => (error as Error).message,
    );
    expect(said).toMatch(/ended with 1: .*PostgreSQL does not answer.*DATABASE_URL/);
    expect(said).not.toMatch(/\n\s+at /);
    expect(said).not.toContain('s3cret');
  });
});
