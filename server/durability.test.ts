import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { acknowledge, pending } from '../protocol/chat.ts';
import type { IdempotencyId } from '../protocol/ids.ts';
import { newMember } from './testing/new-member.ts';
import { newId, sendTo } from './testing/person.ts';
import { startServerProcess, type ServerProcess } from './testing/server-process.ts';
import { SocketClient } from './testing/socket-client.ts';

/** A busy machine is no failure. */
const PATIENT = { timeout: 60_000 };
vi.setConfig({ testTimeout: 180_000 });

let dataDir: string;
let server: ServerProcess | undefined;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'teahouse-kill-'));
});
afterEach(async () => {
  await server?.end('SIGKILL');
  await rm(dataDir, { recursive: true, force: true });
});

async function signedIn(base: string, session: string): Promise<SocketClient> {
  const client = await SocketClient.connect(base);
  await client.hello({ session: session as never });
  return client;
}

const join_ = (base: string) => newMember({ dataDir }, base);

it('loses nothing that it acknowledged when it is killed amid sending, and a retry makes nothing twice', async () => {
  server = await startServerProcess(dataDir);
  const [ada, bob] = [await join_(server.base), await join_(server.base)];
  const wanted: IdempotencyId[] = [];
  const answered = new Set<string>();
  for (let round = 0; round < 3; round++) {
    const client = await signedIn(server.base, ada.session);
    const sending = (async () => {
      for (;;) {
        const id = wanted.find((one) => !answered.has(one)) ?? newId();
        if (!wanted.includes(id)) wanted.push(id);
        const burst = [id, ...Array.from({ length: 9 }, newId)];
        wanted.push(...burst.slice(1));
        await Promise.all(burst.map(async (one) => sendTo(client, bob.person, one).then(() => answered.add(one))));
      }
    })();
    const ended = sending.catch(() => 'cut');
    await expect.poll(() => answered.size, PATIENT).toBeGreaterThan((round + 1) * 30);
    await server.end('SIGKILL');
    expect(await ended).toBe('cut');
    server = await startServerProcess(dataDir);
  }
  const retry = await signedIn(server.base, ada.session);
  await Promise.all(wanted.map((id) => sendTo(retry, bob.person, id)));

  const receiver = await signedIn(server.base, bob.session);
  const received: string[] = [];
  for (let after = 0, more = true; more;) {
    const page = await receiver.request(pending, { after, limit: 100 });
    received.push(...page.envelopes.map(({ messageId }) => messageId));
    after = page.envelopes.at(-1)?.queueId ?? after;
    more = page.more;
  }
  expect(received.toSorted()).toEqual(wanted.toSorted());
});

it('keeps a queue empty that was acknowledged before it was killed', async () => {
  server = await startServerProcess(dataDir);
  const [ada, bob] = [await join_(server.base), await join_(server.base)];
  const sender = await signedIn(server.base, ada.session);
  const positions = await Promise.all([1, 2, 3].map(() => sendTo(sender, bob.person)));
  const receiver = await signedIn(server.base, bob.session);
  const queueIds = positions.slice(0, 2).map(({ position }) => position);
  await receiver.request(acknowledge, { queueIds });
  await server.end('SIGKILL');
  server = await startServerProcess(dataDir);
  const again = await signedIn(server.base, bob.session);
  const { envelopes } = await again.request(pending, { after: 0, limit: 10 });
  expect(envelopes.map(({ queueId }) => queueId)).toEqual([positions[2]?.position]);
});

it.each(['SIGINT', 'SIGTERM'] as const)('ends in order on %s', async (signal) => {
  server = await startServerProcess(dataDir);
  const { session } = await join_(server.base);
  const client = await signedIn(server.base, session);
  expect(await server.end(signal)).toBe(0);
  expect(await client.closed).toBe(1001);
  await expect(SocketClient.connect(server.base)).rejects.toThrow();
});

it('ends at once on the second signal', async () => {
  server = await startServerProcess(dataDir);
  const client = await SocketClient.connect(server.base);
  await client.hello();
  // A peer that does not answer the closing handshake holds up the end.
  client.socket.pause();
  server.process.kill('SIGTERM');
  await expect.poll(() => server?.output.text, PATIENT).toContain('Ending');
  expect(await server.end('SIGTERM')).toBe(130);
  client.socket.terminate();
});
