import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { MAX_PAYLOAD_BYTES, MessageContent, ReceivedContent } from '../../protocol/chat.ts';
import { CallId } from '../../protocol/ids.ts';
import type { UserId } from '../../protocol/ids.ts';
import { extremesFor, fieldsOf, rightFor, valueAt, withValue } from '../../server/testing/schema-values.ts';
import { Relay } from './testing/relay.ts';
import { sendContent } from './testing/send-content.ts';
import { TestClient } from './testing/test-client.ts';

/*
 * What others' clients may write: every kind of content that there is, with every extreme value in every field, goes
 * through a vault that files it, shows it and is started again. Kinds and fields come from the protocol, so that a kind
 * that is added is attacked by being in it. Who sends is a colleague, or another device of one's own.
 */

const SAMPLES = 20;
/** Of a payload; the rest is padding. */
const MOST_BYTES = MAX_PAYLOAD_BYTES - 4096;

type Content = Readonly<Record<string, unknown>>;

const KINDS = ReceivedContent.shape.content.options.map((option) => {
  const [kind] = [...option.shape.kind.values];
  return [String(kind), option as unknown as z.ZodType] as const;
});

let relay: Relay;
let ada: TestClient;
let ben: TestClient;
let bensOther: TestClient;
/** What there is to be named: where a field is called so, this stands in it while another field is attacked. */
let named: Content;

beforeEach(async () => {
  relay = new Relay();
  ada = await TestClient.signUp(relay, 'ada');
  ben = await TestClient.signUp(relay, 'ben');
  bensOther = await TestClient.link(ben);
  const callId = CallId.parse(crypto.randomUUID());
  await ada.write(ben, 'hello');
  await ada.vault.enqueueCall({ conversation: ben.userId, callId, media: 'voice' });
  await ada.flush();
  await ben.fetch();
  await ben.fetchLists([ada.userId]);
  await ben.write(ada, 'hello');
  await bensOther.fetch();
  await bensOther.fetchLists([ada.userId]);
  await bensOther.write(ada, 'hello from the other one');
  await ben.fetch();
  await ada.fetch();
  const messageIds = (await ben.messages(ada)).map(({ messageId }) => messageId);
  named = { callId, messageIds };
});

/** One field at a time is another; of what the schema refuses one for each field, since all of that goes the same way. */
function attacksOf(kind: string, schema: z.ZodType): Content[] {
  const [sample] = fc.sample(rightFor(schema), 1);
  const others = { userId: ada.userId, deviceId: ada.address.deviceId };
  const base = Object.entries(named).reduce(
    (content, [name, value]) => (name in (content as object) ? withValue(content, [name], value) : content),
    sample,
  );
  expect(schema.safeParse(base).success, 'it is handled as it is').toBe(true);
  const fields = fieldsOf(schema).filter(({ path }) => path[0] !== 'kind');
  const attacks = fields.flatMap(({ path, schema: field }, i) => {
    const there = (value: unknown) => value !== null && value !== undefined;
    const right = [valueAt(base, path), ...fc.sample(rightFor(field), SAMPLES)].find(there);
    const all = extremesFor(field, right, others).map((value) => withValue(base, path, value));
    const isTaken = (content: unknown) => schema.safeParse(content).success;
    const refused = all.filter((content) => !isTaken(content));
    return [...all.filter(isTaken), ...refused.slice(i % Math.max(1, refused.length)).slice(0, 1)];
  });
  return [base, ...attacks].map((content) => ({ ...(content as Content), kind }));
}

/** Everything that was sent, one by one; what was thrown. */
async function takeIn(client: TestClient): Promise<string[]> {
  const thrown: string[] = [];
  for (const envelope of relay.queue(client.address).splice(0)) {
    const { acknowledge } = await client.receive([envelope]).catch((error: unknown) => {
      thrown.push(String(error));
      return { acknowledge: [envelope.queueId] };
    });
    expect(acknowledge).toEqual([envelope.queueId]);
  }
  return thrown;
}

/** Whatever reads what was filed: the conversations, each to its beginning, and the calls. */
async function show({ vault }: TestClient): Promise<void> {
  const conversations = await vault.conversations();
  const shown = conversations.flatMap(({ last }) => last ?? []);
  for (const { userId } of conversations) {
    for (let before: number | null = null, more = true; more;) {
      const page = await vault.messages({ conversation: userId, before, limit: 50 });
      shown.push(...page.messages);
      before = page.messages[0]?.order ?? null;
      more = page.more;
    }
  }
  shown.push(...(await vault.recentCalls(200)));
  for (const { sentAt, order } of shown) {
    expect(Number.isNaN(new Date(sentAt).getTime())).toBe(false);
    expect(Number.isSafeInteger(order)).toBe(true);
  }
}

/** What follows from it: it is read and confirmed, and calls come to an end. */
async function goOn(client: TestClient): Promise<void> {
  const { vault } = client;
  for (const { userId } of await vault.conversations()) {
    for (let turn = await vault.markRead(userId); turn.through !== null;) {
      turn = await vault.markRead(userId, turn.through);
    }
  }
  for (let next: string | null = null, more = true; more;) {
    const { calls, next: rest } = await vault.ongoingCalls(next);
    await vault.settleCalls(calls);
    next = rest;
    more = rest !== null;
  }
  await client.sendReceipts();
}

async function attack(from: TestClient, to: UserId, contents: readonly Content[]): Promise<void> {
  const about = { version: 1, conversation: from.userId === to ? ada.userId : to, sentAt: from.time };
  const whole = contents.map((content) => ({ ...about, content }));
  const sendable = whole.filter((content) => Buffer.byteLength(JSON.stringify(content)) < MOST_BYTES);
  await sendContent(from, to, sendable);
}

async function holds(client: TestClient): Promise<void> {
  await show(client);
  await goOn(client);
  await client.restart();
  await show(client);
  const text = `still there ${crypto.randomUUID()}`;
  await ada.write(client, text);
  await client.fetch();
  expect(await client.texts(ada)).toContain(text);
  await ada.fetch();
  await client.write(ada, `answer to ${text}`);
  await ada.fetch();
  expect(await ada.texts(client)).toContain(`answer to ${text}`);
}

it('is of every kind that a client writes', () => {
  const written = MessageContent.shape.content.options.flatMap((option) => [...option.shape.kind.values]);
  expect(KINDS.map(([kind]) => kind).toSorted()).toEqual(written.toSorted());
});

describe.each(KINDS)('any %s', (kind, schema) => {
  it('of a colleague is filed, shown and survives a start', { timeout: 120_000 }, async () => {
    await attack(ada, ben.userId, attacksOf(kind, schema));
    expect(await takeIn(ben)).toEqual([]);
    await holds(ben);
  });

  it('of another own device, too', { timeout: 120_000 }, async () => {
    await attack(bensOther, ben.userId, attacksOf(kind, schema));
    expect(await takeIn(ben)).toEqual([]);
    await holds(ben);
  });

  it('of another own device, before anything was handed over', { timeout: 120_000 }, async () => {
    const waiting = await TestClient.approved(ben);
    const { devices } = await ben.vault.ownDevices();
    const { deviceId, identityKey } = devices.find((device) => device.deviceId === waiting.address.deviceId)!;
    named = { ...named, deviceId, identityKey };
    await ben.flush();
    const [handedOver] = relay.queue(waiting.address).splice(0);
    await attack(ben, ben.userId, attacksOf(kind, schema));
    expect(await takeIn(waiting)).toEqual([]);
    await waiting.restart();
    await waiting.receive([handedOver!]);
    expect(await waiting.vault.completeHandOver()).toMatchObject({ kind: 'ready' });
    await show(waiting);
    await goOn(waiting);
    await waiting.restart();
    await show(waiting);
  });
});
