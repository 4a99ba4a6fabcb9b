import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createInvitations } from '../../../protocol/accounts.ts';
import { publishList, publishPrekeys, takeBundles } from '../../../protocol/devices.ts';
import type { Method } from '../../../protocol/method.ts';
import { newId, prekeys, sendTo } from '../../testing/person.ts';
import { findPostgres, startPostgres, type Postgres } from '../../testing/postgres.ts';
import { startTestServer, type Member, type TestServer } from '../../testing/test-server.ts';

/* Somebody who asks for something else under the id of a send, so that the sends of everybody wait for it. */

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const programs = findPostgres();

describe.skipIf(programs === null)('on PostgreSQL (skipped where it is not installed)', () => {
  let postgres: Postgres;
  let url: string;
  let server: TestServer;
  let [mallory, ada, bob]: Member[] = [];

  beforeAll(async () => {
    postgres = await startPostgres(programs ?? '');
  });
  afterAll(() => postgres.stop());
  beforeEach(async () => {
    url = await postgres.createDatabase();
    // What waits for a lock here waits longer than the limits of production let it.
    server = await startTestServer({}, { DATABASE_URL: `${url}?query_timeout=60000&statement_timeout=60000` });
    [mallory, ada, bob] = [await server.join(undefined, 'admin'), await server.join(), await server.join()];
    return () => server.dispose();
  });

  const people = () => {
    if (!mallory || !ada || !bob) throw new Error('nobody joined');
    return { mallory, ada, bob };
  };

  it('no send waits for another request under its id, whatever that one waits for', async () => {
    const { mallory, ada, bob } = people();
    const { deviceId } = bob.person.device.public;
    const requests: [Method, Record<string, unknown>][] = [
      [publishList, { list: mallory.person.list(2) }],
      [takeBundles, { devices: [{ userId: bob.person.userId, deviceId }] }],
      [publishPrekeys, { prekeys: prekeys(3, 1000) }],
      [createInvitations, { count: 1, role: 'member', validHours: 1 }],
    ];
    // What their effects read or write stands still; a send needs none of it.
    const [held, looking] = [await connectTo(url), await connectTo(url)];
    await held.query('begin');
    await held.query('lock table accounts, devices, prekeys in exclusive mode');
    try {
      const ids = requests.map(() => newId());
      const asked = requests.map(([{ name }, params], at) =>
        mallory.client.raw(name, { ...params, idempotencyId: ids[at] }),
      );
      await expect.poll(() => waiting(looking), { timeout: 30_000 }).toBe(requests.length);
      const sent = Promise.all([
        ...ids.map((id) => sendTo(mallory.client, bob.person, id)),
        sendTo(ada.client, bob.person),
      ]);
      const first = await Promise.race([sent.then(() => 'sent'), delay(15_000, 'held up', { ref: false })]);
      await held.query('rollback');
      expect(first).toBe('sent');
      await sent;
      await Promise.all(asked);
    } finally {
      await Promise.all([held.end(), looking.end()]);
    }
  });

  it('no ring of locks arises from lists and sends under the same ids', async () => {
    const { mallory, ada, bob } = people();
    let [version, attacking] = [2, true];
    const attack = async () => {
      for (let round = 0; round < 12; round++) {
        const id = newId();
        const all: Promise<unknown>[] = [
          mallory.client.request(publishList, { list: mallory.person.list(version++), idempotencyId: id }),
        ];
        const payload = randomBytes(29).toString('base64');
        for (let send = 0; send < 6; send++) {
          all.push(sendTo(mallory.client, bob.person, id, payload));
          await new Promise((resolve) => setImmediate(resolve));
        }
        // Whatever becomes of them.
        await Promise.allSettled(all);
      }
      attacking = false;
    };
    const others = async () => {
      while (attacking) await sendTo(ada.client, bob.person);
    };
    await Promise.all([attack(), others()]);
    // A connection tells what it counted when it ends, at the latest.
    await server.close();
    const client = await connectTo(url);
    const { rows } = await client.query(
      'select deadlocks::int from pg_stat_database where datname = current_database()',
    );
    await client.end();
    expect(rows).toEqual([{ deadlocks: 0 }]);
  });
});

async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

/** Statements that wait for a lock. */
async function waiting(client: pg.Client): Promise<number> {
  const { rows } = await client.query(`select count(*)::int as waiting from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`);
  return (rows[0] as { waiting: number }).waiting;
}
