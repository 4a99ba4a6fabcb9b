import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import * as wire from '../../../protocol/chat.ts';
import type { ErrorCode } from '../../../protocol/errors.ts';
import { newMessageId } from '../../crypto/queued-message.ts';
import { Relay } from '../../crypto/testing/relay.ts';
import { TestClient } from '../../crypto/testing/test-client.ts';
import { until } from '../../testing/headless-client.ts';
import { ShakyLine } from '../../testing/shaky-line.ts';
import { DeviceLists } from './device-lists.ts';
import { Outbox } from './outbox.ts';

let relay: Relay;
let ada: TestClient;
let ben: TestClient;
let accepted: Set<string>;
let line: ShakyLine;
let outbox: Outbox;
let reported: unknown[];
let held: (ErrorCode | null)[];

function connect(protocol?: number): void {
  line = new ShakyLine(relay, ada.address, accepted, protocol);
  const { vault } = ada;
  const lists = new DeviceLists({ connection: line, vault, apply: () => undefined });
  outbox = new Outbox({
    connection: line,
    vault,
    lists,
    apply: () => undefined,
    heldBack: (_, reason) => void held.push(reason),
    report: (error) => void reported.push(error),
    pause: () => tick(),
  });
}

async function write(text: string): Promise<void> {
  const sentAt = Date.now();
  const message = { conversation: ben.userId, messageId: newMessageId(sentAt), text, sentAt };
  const { sealed } = await ada.vault.enqueueText(message);
  outbox.wake(ben.userId, sealed);
}

/** The vault has done what it was asked to, and what follows from that was asked. */
async function settled(): Promise<void> {
  for (let i = 0; i < 3; i += 1) {
    await ada.vault.standing();
    await tick();
  }
}

/** The server refuses whatever it is asked. */
function outage(code: ErrorCode): void {
  while (line.asked.length > 0) {
    line.serve(code);
    line.answer();
  }
}

const tick = () => new Promise<void>((done) => setTimeout(done, 1));
const sends = () => line.asked.filter(({ method }) => method.name === wire.send.name);

/** Everything arrives from now on, until nothing is left to be sent. */
async function finish(): Promise<void> {
  const end = Date.now() + 20_000;
  while ((await ada.vault.outbox()).length > 0) {
    if (Date.now() > end) throw new Error('the outbox never empties');
    if (line.state.kind !== 'online') line.restore();
    await outbox.kick();
    for (let i = 0; i < 50; i += 1) line.serve();
    for (let i = 0; i < 50; i += 1) line.answer();
    await tick();
  }
}

beforeEach(async () => {
  held = [];
  reported = [];
  accepted = new Set();
  relay = new Relay();
  ada = await TestClient.signUp(relay, 'ada');
  ben = await TestClient.signUp(relay, 'ben');
  await ada.write(ben, 'hello');
  await ben.fetch();
  connect();
});

const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i));

describe('a burst of messages', () => {
  it('leaves at once, without waiting for an answer', async () => {
    for (const text of numbers(60)) await write(text);
    await until(() => sends().length === 60, 'all sixty are under way');
    await finish();
    await ben.fetch();
    expect(await ben.texts(ada)).toEqual(['hello', ...numbers(60)]);
    expect(new Set(await ada.states(ben))).toEqual(new Set(['sent']));
  });

  it('goes one by one to a server that does not keep the order of several', async () => {
    connect(1);
    for (const text of numbers(5)) await write(text);
    for (let i = 0; i < 5; i += 1) {
      await until(() => sends().length === 1, 'the next one is under way');
      expect(sends()[0]?.params).not.toHaveProperty('after');
      await new Promise((done) => setTimeout(done, 20));
      expect(sends()).toHaveLength(1);
      line.serve();
      line.answer();
    }
    await finish();
    await ben.fetch();
    expect(await ben.texts(ada)).toEqual(['hello', ...numbers(5)]);
  });

  it('after a line that was lost before it answered anything is smaller, and grows with the answers', async () => {
    for (const text of numbers(60)) await write(text);
    await until(() => sends().length === 60, 'all are under way');
    const before = sends().length;
    for (let lost = 0; lost < 4; lost += 1) {
      line.cut(0);
      line.restore();
      await until(() => sends().length === 0, 'given up');
      await new Promise((done) => setTimeout(done, 20));
      await outbox.kick();
      await until(() => sends().length > 0, 'sent again');
      await new Promise((done) => setTimeout(done, 50));
    }
    expect(sends().length).toBeLessThan(before / 2);
    await finish();
    await ben.fetch();
    expect(await ben.texts(ada)).toEqual(['hello', ...numbers(60)]);
  });

  it('sealed for devices that are others by now is sealed anew, all of it, and stays in order', async () => {
    for (const text of numbers(30)) await write(text);
    await until(() => sends().length === 30, 'all are under way');
    for (let i = 0; i < 10; i += 1) line.serve();
    const second = await TestClient.link(ben);
    await finish();
    await ben.fetch();
    await second.fetchLists([ada.userId]);
    await second.fetch();
    expect(await ben.texts(ada)).toEqual(['hello', ...numbers(30)]);
    expect(await second.texts(ada)).toEqual(numbers(30).slice(10));
  });

  it.each(['rate_limited', 'internal', 'unavailable'] as const)(
    'goes on by itself when what it asks for to mend a refusal is refused, too: %s',
    async (code) => {
      await write('0');
      await until(() => sends().length === 1, 'it is under way');
      line.serve('devices_stale');
      line.answer();
      await until(() => line.asked.length === 1 && sends().length === 0, 'the lists are asked for');
      line.serve(code);
      line.answer();
      await until(() => {
        line.serve();
        line.answer();
        return accepted.size === 1;
      }, 'it is sent');
      expect(reported).toEqual([]);
      await finish();
      await ben.fetch();
      expect(await ben.texts(ada)).toEqual(['hello', '0']);
    },
  );

  it('that is answered by a line that was doubted is not sent twice', async () => {
    for (const text of numbers(5)) await write(text);
    await until(() => sends().length === 5, 'all are under way');
    line.doubt();
    await write('5');
    await settled();
    line.restore();
    await outbox.kick();
    await until(() => sends().length >= 6, 'the sixth is under way');
    await settled();
    expect(sends()).toHaveLength(6);
    await finish();
    await ben.fetch();
    expect(await ben.texts(ada)).toEqual(['hello', ...numbers(6)]);
  });

  it.each(['unavailable', 'internal', 'rate_limited', 'storage_full', 'quota_sender'] as const)(
    'waits as it is, receipts too, while the server takes nothing (%s), however long',
    async (code) => {
      await ben.write(ada, 'seen');
      await ada.fetch();
      await ada.vault.collectReceipts();
      await ada.vault.markRead(ben.userId, null);
      await outbox.kick();
      await write('0');
      for (let round = 0; round < 30; round += 1) {
        if (round === 10) await write('1');
        if (round === 20) {
          await ada.vault.collectReceipts();
          await outbox.kick();
        }
        await until(() => line.asked.length > 0, 'asked again');
        outage(code);
        await settled();
      }
      expect((await ada.states(ben)).filter((state) => state === 'failed')).toEqual([]);
      await finish();
      await ben.fetch();
      expect(await ben.texts(ada)).toEqual(['hello', 'seen', '0', '1']);
      expect((await ben.states(ada)).filter((state) => state !== null)).toEqual(['read']);
      expect(reported).toEqual([]);
    },
  );

  it('waits through requests that are never answered, and says so', async () => {
    for (const text of numbers(3)) await write(text);
    for (let round = 0; round < 10; round += 1) {
      await until(() => sends().length > 0, 'asked again');
      line.forget();
      await settled();
    }
    expect(held).toContain('unavailable');
    await finish();
    await ben.fetch();
    expect(await ben.texts(ada)).toEqual(['hello', ...numbers(3)]);
    expect(held.at(-1)).toBeNull();
  });

  it('does not wait for ever behind a message at which the server always fails: that one alone is given up', async () => {
    await write('0');
    await until(() => sends().length === 1, 'it is under way');
    const idOf = (asked: (typeof line.asked)[number] | undefined) =>
      (asked?.params as { readonly idempotencyId?: string } | undefined)?.idempotencyId;
    const poison = idOf(sends()[0]);
    const serveAll = () => {
      while (line.asked.length > 0) {
        line.serve(idOf(line.asked[0]) === poison ? 'internal' : undefined);
        line.answer();
      }
    };
    for (let round = 0; round < 12; round += 1) {
      await until(() => sends().length > 0, 'asked again');
      serveAll();
    }
    // With nothing behind it, nothing tells whether it is the message or the server.
    expect(await ada.states(ben)).toEqual(['sent', 'queued']);
    for (const text of ['1', '2']) await write(text);
    await until(() => {
      serveAll();
      return accepted.size === 2;
    }, 'the others are sent');
    for (let i = 0; i < 100 && !(await ada.states(ben)).includes('failed'); i += 1) await settled();
    await finish();
    await ben.fetch();
    expect(await ben.texts(ada)).toEqual(['hello', '1', '2']);
    expect((await ada.messages(ben)).map(({ state, failure }) => failure ?? state)).toEqual([
      'sent',
      'sent',
      'sent',
      'internal',
    ]);
  });

  it('with one that is refused for good goes on with the others', async () => {
    for (const text of numbers(6)) await write(text);
    await until(() => sends().length === 6, 'all are under way');
    line.serve();
    line.serve('user_unknown');
    await finish();
    await ben.fetch();
    expect(await ben.texts(ada)).toEqual(['hello', '0', '2', '3', '4', '5']);
    expect(await ada.states(ben)).toEqual(['sent', 'sent', 'sent', 'sent', 'sent', 'sent', 'failed']);
  });
});

describe('whatever happens in the middle of a window', () => {
  const REFUSALS: readonly ErrorCode[] = ['internal', 'rate_limited', 'unavailable', 'devices_stale'];
  const OUTAGES: readonly ErrorCode[] = ['unavailable', 'rate_limited', 'storage_full', 'quota_sender'];
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('write' as const), count: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('serve' as const), count: fc.integer({ min: 1, max: 8 }) }) },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('answer' as const), count: fc.integer({ min: 1, max: 8 }) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut' as const), count: fc.integer({ min: 0, max: 6 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('restore' as const), count: fc.constant(1) }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('refuse' as const), count: fc.integer({ min: 0, max: 3 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('outage' as const), count: fc.integer({ min: 0, max: 47 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), count: fc.integer({ min: 0, max: 6 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('link' as const), count: fc.constant(1) }) },
  );

  it('nothing is lost, doubled or out of order', async () => {
    let [runs, resent] = [0, 0];
    const property = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      runs += 1;
      reported = [];
      relay = new Relay();
      accepted = new Set();
      [ada, ben] = [await TestClient.signUp(relay, 'ada'), await TestClient.signUp(relay, 'ben')];
      await ada.write(ben, 'hello');
      connect();
      const written = ['hello'];
      let [links, refusals] = [0, 0];
      for (const { kind, count } of steps) {
        if (kind === 'write') {
          for (let i = 0; i < count; i += 1) {
            written.push(String(written.length));
            await write(written.at(-1)!);
          }
        } else if (kind === 'serve') for (let i = 0; i < count; i += 1) line.serve();
        else if (kind === 'answer') for (let i = 0; i < count; i += 1) line.answer();
        else if (kind === 'cut') line.cut(count);
        else if (kind === 'restore') {
          line.restore();
          void outbox.kick();
        } else if (kind === 'refuse' && ++refusals < 6) {
          line.serve(REFUSALS[count]!);
          // Those behind it are in the same server's hands already.
          for (let i = 0; i < 3; i += 1) line.serve();
        } else if (kind === 'outage') {
          for (let round = 0; round < count; round += 1) {
            outage(OUTAGES[count % OUTAGES.length]!);
            await settled();
          }
        } else if (kind === 'crash') {
          line.cut(count);
          await ada.restart();
          connect();
          void outbox.kick();
          resent += 1;
        } else if (kind === 'link' && ++links < 2) await TestClient.link(ben);
        await settled();
      }
      await finish();
      await ben.fetch();
      expect(await ben.texts(ada)).toEqual(written);
      expect(await ada.texts(ben)).toEqual(written);
      expect((await ada.states(ben)).every((state) => state === 'sent')).toBe(true);
      // What a crash has cut off finds its vault closed, or the next one not open yet.
      const isCutOff = (error: unknown) => /not open|no account is open/.test((error as Error).message);
      expect(reported.filter((error) => !isCutOff(error))).toEqual([]);
    });
    await fc.assert(property, { numRuns: 60 });
    expect(runs).toBeGreaterThanOrEqual(40);
    expect(resent).toBeGreaterThan(0);
  }, 120_000);
});
