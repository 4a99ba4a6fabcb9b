import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { delivered, MAX_PAYLOAD_BYTES, type Recipient } from '../../../protocol/chat.ts';
import type { DeviceId, MessageId, UserId } from '../../../protocol/ids.ts';
import type { EventSink, Halves } from '../../ws/event-sink.ts';
import { SharedBytes } from '../../ws/shared-bytes.ts';
import { refusal } from '../../testing/expect-code.ts';
import { Announcements, type Announced } from './announcements.ts';
import { ExpiredNews } from './expired-news.ts';
import { LIMITS } from './limits.ts';
import { defaultQuotas } from './quotas.ts';
import { SenderQuota } from './sender-quota.ts';

/* Somebody who sends long messages to as many devices as one message may be for: a little that comes is much that goes out. */

const LONGEST = randomBytes(MAX_PAYLOAD_BYTES).toString('base64');
const newUser = () => randomUUID() as string as UserId;
const MALLORY = newUser();

function recipients(people: number, devices: number): Recipient[] {
  return Array.from({ length: people }, () => ({
    userId: newUser(),
    listVersion: 1,
    keys: Array.from({ length: devices }, (_, index) => ({
      deviceId: (index + 1) as DeviceId,
      type: 'message' as const,
      body: randomBytes(60).toString('base64'),
    })),
  }));
}

function message(position: number, to: readonly Recipient[], work: (ms: number) => void = () => undefined): Announced {
  const sender = { userId: MALLORY, deviceId: 1 as DeviceId };
  const messageId = randomUUID() as string as MessageId;
  const skipped: ReadonlySet<string> = new Set();
  return { messageId, position, sender, payload: LONGEST, recipients: to, skipped, payer: { work } };
}

/** Notes what is handed over, and in which turn of the event loop. */
function sink(each: () => void = () => undefined) {
  const told: { readonly name: string; readonly halves: Halves; readonly turn: number }[] = [];
  let turn = 0;
  const count = () => {
    turn += 1;
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  const toDeviceInHalves: EventSink['toDeviceInHalves'] = (userId, deviceId, _, halves) => {
    told.push({ name: `${userId}/${deviceId}`, halves, turn });
    each();
  };
  const events = { toDeviceInHalves } as Partial<EventSink> as EventSink;
  return {
    told,
    announcements: new Announcements(events, new ExpiredNews(events)),
    end: () => clearImmediate(counting),
  };
}

it('one message for many devices is handed over in portions, in order, and each device gets what is right for it', async () => {
  const { told, announcements, end } = sink();
  const messages = [message(7, recipients(64, 16)), message(8, recipients(64, 16))];
  await announcements.tell(messages);
  end();
  const expected = messages.flatMap(({ recipients: to, ...rest }) =>
    to.flatMap(({ userId, keys }) =>
      keys.map(({ deviceId, ...key }) => ({ name: `${userId}/${deviceId}`, key, rest })),
    ),
  );
  expect(told.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
  for (const at of [0, 17, 1023, 1024, 2047]) {
    const { shared, own } = told[at]?.halves ?? { shared: '', own: '' };
    const { key, rest } = expected[at] ?? {};
    expect(delivered.params.parse(JSON.parse(shared + own))).toEqual({
      envelope: {
        queueId: rest?.position,
        messageId: rest?.messageId,
        sender: rest?.sender,
        position: rest?.position,
        payload: LONGEST,
        key,
      },
    });
  }
  const perTurn = [...Map.groupBy(told, ({ turn }) => turn).values()].map(({ length }) => length);
  // One person's devices more than fit, at the most.
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(Math.ceil(LIMITS.announcedBytes.value / LONGEST.length) + 16);
});

it('where handing over takes long, others have their turn in between, and the time counts for the sender', async () => {
  let counted = 0;
  const { told, announcements, end } = sink(() => spin(1));
  const started = performance.now();
  await announcements.tell([message(1, recipients(64, 1), (ms) => (counted += ms))]);
  end();
  const perTurn = [...Map.groupBy(told, ({ turn }) => turn).values()].map(({ length }) => length);
  expect(told).toHaveLength(64);
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(LIMITS.announcedMs.value + 1);
  expect(counted).toBeGreaterThanOrEqual(64);
  expect(counted).toBeLessThanOrEqual(performance.now() - started);
});

it('the payload is written once for all devices, as text and as bytes', async () => {
  const { told, announcements, end } = sink();
  await announcements.tell([message(1, recipients(5, 2))]);
  end();
  const bytes = new SharedBytes();
  const heads = new Set(told.map(({ halves }) => bytes.of(delivered.name, halves.shared)));
  expect(heads.size).toBe(1);
  expect(Buffer.isBuffer([...heads][0])).toBe(true);
  for (const { halves } of told) expect(halves.own.length).toBeLessThan(200);
});

it('what goes out to all devices together has a bound for each account and hour, with room for any honest use', async () => {
  let now = 0;
  const quotas = defaultQuotas(1e12, 1);
  const quota = new SenderQuota(quotas, () => now);
  const to = recipients(64, 16);
  const takeAll = async (payload: string) => {
    let taken = 0;
    for (; taken < 10_000; taken++) {
      try {
        quota.take(MALLORY, payload, to);
      } catch (error) {
        await refusal('quota_sender', Promise.reject(error));
        return taken;
      }
    }
    return taken;
  };
  expect(await takeAll(LONGEST)).toBe(Math.floor(LIMITS.senderCopiedBurstBytes.value / (64 * 16 * (65_536 + 60))));
  now = 3_600_000;
  expect(await takeAll(LONGEST), 'as much in the next hour').toBeGreaterThan(6);
  // Sixty of the largest previews to 64 people, and a busy hour of texts to them, with two devices each.
  const group = recipients(64, 2);
  const [pictures, texts] = [newUser(), newUser()];
  for (let sent = 0; sent < 60; sent++) quota.take(pictures, LONGEST, group);
  for (let sent = 0; sent < 600; sent++) quota.take(texts, randomBytes(2048).toString('base64'), group);
  // What was not kept is given back.
  for (let sent = 0; sent < 1000; sent++) quota.take(pictures, LONGEST, recipients(1, randomInt(1, 3)))();
});

function spin(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
