import { afterAll, beforeAll, expect, it } from 'vitest';
import { HeadlessClient, until } from '../testing/headless-client.ts';
import { HostileLine, withNumbers } from '../testing/hostile-line.ts';
import { ServerProcess } from '../testing/server-process.ts';

let server: ServerProcess;
let line: HostileLine;
let ada: HeadlessClient;
let ben: HeadlessClient;

/** Whatever the server numbers, but for a frame's own id. Apart from each other: an answer that is refused hides the rest. */
const POSITIONS = new Set(['position', 'queueId']);
const CLOCK = new Set(['time']);
const OTHERS = new Set([
  'version',
  'revision',
  'remaining',
  'listVersion',
  'signedPrekeyId',
  'keyId',
  'retryAfterMs',
  'expiresAt',
  'startedAt',
  'createdAt',
  'lastSeenAt',
  'addedAt',
  'issuedAt',
  'signedPrekeyAt',
]);
const STREAM = new Set(['seq']);
const VALUES = [Number.MAX_SAFE_INTEGER, 2 ** 31, 8.64e15, 1, 0, -1, 0.5, 1e308];
/** Longest that the server is hostile with one value, in milliseconds. */
const HOSTILE_MS = 600;
/** Requests of a client that does not go round in circles: a reconnection makes about ten. */
const MOST_REQUESTS = 150;

beforeAll(async () => {
  server = await ServerProcess.start();
  line = await HostileLine.to(server.origin);
  ada = await HeadlessClient.join(server.origin, server.invitation, 'ada');
  const [link] = await ada.accounts.createInvitations({ count: 1, role: 'member', validHours: 1 });
  ben = await HeadlessClient.join(line.origin, link!.split('/').at(-1)!, 'ben');
  await ada.chat.open(ben.userId);
  await ada.chat.send('before');
  await ben.chat.open(ada.userId);
  await until(() => ben.texts().length === 1, 'the first message');
});

afterAll(async () => {
  ada?.close();
  ben?.close();
  await line?.close();
  await server?.dispose();
});

async function hostileWith(names: ReadonlySet<string>, value: number): Promise<void> {
  const asked = line.asked;
  line.alter = (frame) => withNumbers(frame, names, value);
  line.interrupt();
  await ada.chat.send(`while it is ${value}`);
  await new Promise((done) => setTimeout(done, HOSTILE_MS));
  expect(line.asked - asked, `requests while numbers are ${value}`).toBeLessThan(MOST_REQUESTS);
}

it.each([
  ['positions', POSITIONS],
  ['the clock of the server', CLOCK],
  ['other numbers', OTHERS],
  ['the numbers of events', STREAM],
])(
  'extreme values of %s leave a client that starts, reads and writes again',
  async (_, names) => {
    for (const value of VALUES) await hostileWith(names, value);
    line.alter = (frame) => frame;
    const faults = ben.faults.length;
    ben = await ben.reopen(line.origin);
    await ben.online();
    await ben.chat.open(ada.userId);
    await ada.chat.send('after');
    await until(() => ben.texts().length === ada.texts().length, 'everything was read');
    expect(ben.texts().toSorted()).toEqual(ada.texts().toSorted());
    await ben.chat.send('and back');
    await until(() => ada.texts().at(-1) === 'and back', 'the answer');
    expect(faults).toBeLessThan(100);
    for (const { sentAt, order, state } of ben.chat.messages) {
      if (state === 'queued') continue;
      expect(Math.abs(sentAt - Date.now())).toBeLessThan(3_600_000);
      expect(order).toBeLessThan(2 * Date.now() * 1000);
    }
  },
  90_000,
);
