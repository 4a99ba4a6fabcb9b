import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { pending } from '../../protocol/chat.ts';
import { lists } from '../../protocol/devices.ts';
import type { DeviceId, SessionId, UserId } from '../../protocol/ids.ts';
import { refusal } from '../testing/expect-code.ts';
import { newId } from '../testing/person.ts';
import type { SocketClient } from '../testing/socket-client.ts';
import { startTestServer, type Member, type TestServer } from '../testing/test-server.ts';
import { allowanceOf } from './allowance.ts';
import { LIMITS } from './limits.ts';
import type { CallerSession } from './method.ts';

/*
 * Somebody who has an account's password and none of its devices, and costs as much as they are let, so that the owner's
 * devices are refused. The limits are those of production.
 */

let server: TestServer;
let owner: Member;
beforeAll(async () => {
  server = await startTestServer({ rateLimitFactor: 1 });
});
afterAll(() => server.dispose());
beforeEach(async () => {
  owner = await server.join();
});

/** A session by password alone. */
async function passwordSession(): Promise<string> {
  const visitor = await server.connect();
  const session = await owner.person.signIn(visitor, null);
  await visitor.close();
  return session;
}

function codeOf(request: Promise<unknown>): Promise<string> {
  return request.then(
    () => 'ok',
    (error: { code: string }) => error.code,
  );
}

it('does not use up the hellos of the owner’s devices, however many sessions it opens', async () => {
  const sessions = [await passwordSession(), await passwordSession()];
  const all: string[] = [];
  for (const session of sessions) {
    const client = await server.connect(session);
    const half = LIMITS.hellosOfAccount.value / 2 + 4;
    const hellos = Array.from({ length: half }, () => codeOf(client.hello({ session: session as never })));
    all.push(...(await Promise.all(hellos)));
  }
  expect(all.filter((code) => code === 'ok')).toHaveLength(LIMITS.hellosOfAccount.value - 2);
  expect(all.filter((code) => code === 'rate_limited')).toHaveLength(10);
  // Also a session that is new, and has said none yet.
  await refusal('rate_limited', server.connect(await passwordSession()));
  const device = await server.connect(owner.session);
  expect(await device.request(pending, { after: 0, limit: 1 })).toMatchObject({ more: false });
});

it('does not use up the bytes of the owner’s devices, and shares its own with others by password', async () => {
  const flood = await server.connect(await passwordSession());
  const other = await server.connect(await passwordSession());
  const junk = { text: 'x'.repeat(200_000) };
  let over = false;
  const send = async () => {
    while (!over) await flood.raw('chat.send', junk).catch(() => undefined);
  };
  const senders = Promise.all(Array.from({ length: 40 }, send));
  const asked = { elsewhere: new Set<string>(), own: new Set<string>() };
  const askBoth = async () => {
    asked.elsewhere.add(await codeOf(other.request(lists, { users: [owner.person.userId] })));
    asked.own.add(await codeOf(owner.client.request(pending, { after: 0, limit: 1 })));
    return asked.elsewhere;
  };
  await expect.poll(askBoth, { timeout: 60_000, interval: 20 }).toContain('rate_limited');
  for (let i = 0; i < 10; i++) await askBoth();
  over = true;
  await senders;
  expect(asked.own).toEqual(new Set(['ok']));
}, 90_000);

it('does not use up what the owner’s devices may ask', async () => {
  const clients = [await server.connect(await passwordSession()), await server.connect(await passwordSession())];
  const ask = (client: SocketClient) => client.request(lists, { users: [owner.person.userId] });
  const codes = await Promise.all(Array.from({ length: 640 }, (_, i) => codeOf(ask(clients[i % 2] as SocketClient))));
  expect(codes.filter((code) => code === 'rate_limited')).toHaveLength(40);
  expect(await codeOf(ask(owner.client))).toBe('ok');
});

it('is counted as one with others of the account that have no device, and apart from other accounts', () => {
  const { userId } = owner.person;
  const session: CallerSession = { sessionId: newId() as string as SessionId, userId, role: 'member', deviceId: null };
  const linked = (deviceId: number) => ({ ...session, deviceId: deviceId as DeviceId });
  expect(allowanceOf({ ...session, sessionId: newId() as string as SessionId })).toBe(allowanceOf(session));
  expect(allowanceOf(linked(8))).toBe(allowanceOf(linked(7)));
  expect(allowanceOf(linked(7))).not.toBe(allowanceOf(session));
  expect(allowanceOf({ ...session, userId: newId() as string as UserId })).not.toBe(allowanceOf(session));
});
