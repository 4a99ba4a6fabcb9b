import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  Envelope,
  MAX_PAYLOAD_BYTES,
  MAX_TEXT_LENGTH,
  MessageContent,
  send as sendMethod,
} from '../../protocol/chat.ts';
import type { WrappedKey } from '../../protocol/chat.ts';
import type { IdempotencyId, MessageId } from '../../protocol/ids.ts';
import { concat, fromBase64, randomBytes, sha256, toBase64, utf8 } from '../bytes.ts';
import type { Bytes } from '../bytes.ts';
import { decryptFrom } from '../sessions/decrypt.ts';
import { encryptFor } from '../sessions/encrypt.ts';
import { StagedStore } from '../sessions/staged-store.ts';
import { startSession } from '../sessions/start-session.ts';
import { bundleOf, codeOf, connect, listOf, makeParty, randomUserId, receive, send } from '../testing/party.ts';
import type { Party } from '../testing/party.ts';
import { associatedData, payloadDigest } from './associated-data.ts';
import { openEnvelope } from './open-envelope.ts';
import { pad, unpad } from './padding.ts';
import { sealMessage } from './seal-message.ts';
import type { SealedMessage } from './seal-message.ts';
import { sessionsMissing } from './sessions-missing.ts';

const newMessageId = () => randomUserId() as unknown as MessageId;
const contentOf = (text: string): MessageContent => ({
  version: 1,
  conversation: randomUserId(),
  sentAt: 1,
  content: { kind: 'text', text },
});

let alice: Party;
let bob: Party;
let bobPhone: Party;
beforeAll(async () => {
  [alice, bob] = await Promise.all([makeParty(), makeParty()]);
  const second = await makeParty();
  bobPhone = { ...second, address: { userId: bob.address.userId, deviceId: second.address.deviceId } };
  for (const party of [bob, bobPhone]) await connect(alice, party);
});

async function seal(text: string, messageId = newMessageId(), content = contentOf(text)): Promise<SealedMessage> {
  const recipients = [listOf(bob.address.userId, bob, bobPhone)];
  const sealed = await sealMessage({ content, messageId, sender: alice.address, recipients, store: alice.store });
  alice.store.apply(sealed.changes);
  return sealed;
}

/** What the server makes of a send for one device. */
function envelopeFor(party: Party, sealed: SealedMessage, messageId: MessageId): Envelope {
  const { deviceId, ...key } = sealed.recipients[0]!.keys.find((one) => one.deviceId === party.address.deviceId)!;
  expect(deviceId).toBe(party.address.deviceId);
  return Envelope.parse({ queueId: 1, messageId, sender: alice.address, position: 1, payload: sealed.payload, key });
}

async function open(party: Party, envelope: Envelope): Promise<MessageContent> {
  const { content, changes } = await openEnvelope(envelope, party.store, alice.identityKey);
  party.store.apply(changes);
  return content;
}

describe('a message', () => {
  it('is read by every device it was sealed for, and by the wire’s schema', async () => {
    const messageId = newMessageId();
    const content = contentOf('Tee um vier? 🍵');
    const sealed = await seal('', messageId, content);
    const { payload, recipients } = sealed;
    sendMethod.params.parse({ payload, recipients, idempotencyId: messageId as unknown as IdempotencyId });
    expect(recipients).toMatchObject([{ userId: bob.address.userId, listVersion: 1 }]);
    expect(recipients[0]!.keys).toHaveLength(2);
    for (const party of [bob, bobPhone])
      expect(await open(party, envelopeFor(party, sealed, messageId))).toEqual(content);
  });

  it('may be anything the schema allows', async () => {
    const ids = fc.uuid().map((id) => id as MessageId);
    const inner: fc.Arbitrary<MessageContent['content']> = fc.oneof(
      fc.record({
        kind: fc.constant('text' as const),
        text: fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }),
      }),
      fc.record({
        kind: fc.constant('receipt' as const),
        state: fc.constantFrom('delivered' as const, 'read' as const),
        messageIds: fc.array(ids, { minLength: 1, maxLength: 200 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(inner, async (content) => {
        const messageId = newMessageId();
        const whole = MessageContent.parse({ ...contentOf('x'), content });
        const sealed = await seal('', messageId, whole);
        expect(await open(bob, envelopeFor(bob, sealed, messageId))).toEqual(whole);
      }),
      { numRuns: 25 },
    );
  });

  it('shows the server only its bucket', async () => {
    const lengths = await Promise.all(
      ['a', 'yes', 'x'.repeat(100)].map(async (text) => (await seal(text)).payload.length),
    );
    expect(new Set(lengths).size).toBe(1);
    const secret = 'the very words';
    const sealed = await seal(secret);
    const everything = Buffer.concat([
      Buffer.from(sealed.payload, 'base64'),
      ...sealed.recipients[0]!.keys.map((key) => Buffer.from(key.body, 'base64')),
    ]);
    expect(everything.includes(secret)).toBe(false);
  });

  it('fits at its longest, and is refused beyond', async () => {
    for (const unit of ['x', 'ä', '\u0001', '🍵', '\ud800']) {
      const text = unit.repeat(MAX_TEXT_LENGTH / unit.length);
      const messageId = newMessageId();
      const sealed = await seal(text, messageId);
      expect(fromBase64(sealed.payload).byteLength).toBeLessThanOrEqual(MAX_PAYLOAD_BYTES);
      expect((await open(bob, envelopeFor(bob, sealed, messageId))).content).toEqual({ kind: 'text', text });
    }
    expect(await codeOf(seal('x'.repeat(MAX_TEXT_LENGTH + 1)))).toBe('malformed');
  });
});

describe('an envelope', () => {
  it('is refused when any part was changed, and is still readable unchanged', async () => {
    const messageId = newMessageId();
    const envelope = envelopeFor(bob, await seal('exactly this', messageId), messageId);
    const flip = (text: string, i: number) => {
      const bytes = fromBase64(text);
      bytes[i % bytes.byteLength]! ^= 1 << (i % 8);
      return toBase64(bytes);
    };
    const size = fromBase64(envelope.payload).byteLength;
    for (let i = 0; i < size; i++) {
      expect(await codeOf(open(bob, { ...envelope, payload: flip(envelope.payload, i) }))).toBe('tampered');
    }
    for (let i = 0; i < fromBase64(envelope.key.body).byteLength; i++) {
      const code = await codeOf(open(bob, { ...envelope, key: { ...envelope.key, body: flip(envelope.key.body, i) } }));
      expect(code).toBeTypeOf('string');
      expect(code).not.toBe('accepted');
    }
    expect(await codeOf(open(bob, { ...envelope, messageId: newMessageId() }))).toBe('tampered');
    expect((await open(bob, envelope)).content).toEqual({ kind: 'text', text: 'exactly this' });
    expect(await codeOf(open(bob, envelope))).toBe('replayed');
  });

  it('does not give one device’s key to another', async () => {
    const messageId = newMessageId();
    const sealed = await seal('for each its own', messageId);
    const swapped = { ...envelopeFor(bob, sealed, messageId), key: envelopeFor(bobPhone, sealed, messageId).key };
    expect(await codeOf(open(bob, swapped))).not.toBe('accepted');
  });

  it('does not let a recipient put another body under the same key', async () => {
    const messageId = newMessageId();
    const sealed = await seal('original', messageId);
    const key = await messageKeyOf(bobPhone, envelopeFor(bobPhone, sealed, messageId).key);
    const iv = randomBytes(12);
    const algorithm = { name: 'AES-GCM', iv, additionalData: associatedData(alice.address, messageId) };
    const aes = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt']);
    const body = pad(utf8(JSON.stringify(contentOf('forged'))));
    const forged = concat(iv, new Uint8Array(await crypto.subtle.encrypt(algorithm, aes, body)));
    const envelope = { ...envelopeFor(bob, sealed, messageId), payload: toBase64(forged) };
    expect(await codeOf(open(bob, envelope))).toBe('tampered');
  });

  it('is refused from another identity', async () => {
    const messageId = newMessageId();
    const envelope = envelopeFor(bob, await seal('hi', messageId), messageId);
    expect(await codeOf(openEnvelope(envelope, bob.store, bobPhone.identityKey))).toBe('identity_changed');
    expect(await codeOf(openEnvelope({ ...envelope, extra: 1 } as Envelope, bob.store, alice.identityKey))).toBe(
      'malformed',
    );
  });

  it.each([
    ['a newer version', JSON.stringify({ version: 2, poll: {} }), 'unsupported'],
    ['no content', JSON.stringify({ version: 1, content: {} }), 'malformed'],
    ['no JSON', '{', 'malformed'],
    ['nothing', 'null', 'malformed'],
  ])('with %s inside is refused', async (_, json, code) => {
    expect(await codeOf(open(bob, await handmade(pad(utf8(json)))))).toBe(code);
  });

  it('with wrong padding or a wrong wrapped key inside is refused', async () => {
    expect(await codeOf(open(bob, await handmade(new Uint8Array(256))))).toBe('malformed');
    expect(await codeOf(open(bob, await handmade(pad(utf8('{}')), randomBytes(32))))).toBe('malformed');
  });
});

describe('the sessions a message needs', () => {
  it('are named, and missing ones refuse the seal without changing anything', async () => {
    const [carol, dave] = await Promise.all([makeParty(), makeParty()]);
    const lists = [listOf(dave.address.userId, dave), listOf(carol.address.userId, carol)];
    expect(await sessionsMissing(carol.store, lists, carol.address)).toEqual([dave.address]);
    const options = { content: contentOf('hi'), messageId: newMessageId(), sender: carol.address, recipients: lists };
    expect(await codeOf(sealMessage({ ...options, store: carol.store }))).toBe('no_session');

    const staged = new StagedStore(carol.store);
    staged.stage(await startSession(staged, dave.address, bundleOf(dave), dave.identityKey));
    expect(await sessionsMissing(staged, lists, carol.address)).toEqual([]);
    const sealed = await sealMessage({ ...options, store: staged });
    expect(sealed.recipients.map(({ keys }) => keys.length)).toEqual([1, 0]);
    expect(carol.store.sessions.size).toBe(0);
  });

  it('must be with the identity on the list', async () => {
    const [carol, dave, mallory] = await Promise.all([makeParty(), makeParty(), makeParty()]);
    await connect(carol, dave);
    const list = listOf(dave.address.userId, dave);
    const devices = [{ ...list.devices[0]!, identityKey: mallory.device.newDevice.identityKey }];
    const recipients = [{ ...list, devices }];
    const options = { content: contentOf('hi'), messageId: newMessageId(), sender: carol.address, recipients };
    expect(await codeOf(sealMessage({ ...options, store: carol.store }))).toBe('identity_changed');
    expect(await receive(dave, carol, await send(carol, dave, 'still fine'))).toBe('still fine');
  });
});

it('padding goes both ways into few sizes', () => {
  fc.assert(
    fc.property(fc.nat({ max: MAX_PAYLOAD_BYTES - 29 }), (length) => {
      const bytes = randomBytes(length);
      const padded = pad(bytes);
      expect([256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65508]).toContain(padded.byteLength);
      expect(Buffer.compare(unpad(padded), bytes)).toBe(0);
    }),
  );
  expect(() => pad(new Uint8Array(MAX_PAYLOAD_BYTES - 28))).toThrow('does not fit');
  expect(pad(new Uint8Array(MAX_PAYLOAD_BYTES - 29))).toHaveLength(MAX_PAYLOAD_BYTES - 28);
});

it('the digest binds body and associated data apart', async () => {
  const one = await payloadDigest(utf8('bc'), utf8('a'));
  const other = await payloadDigest(utf8('c'), utf8('ab'));
  expect(one).not.toEqual(other);
  expect(one).toEqual(await sha256(concat(await sha256(utf8('a')), utf8('bc'))));
});

async function messageKeyOf(party: Party, wrapped: WrappedKey): Promise<Bytes> {
  const { plaintext } = await decryptFrom(party.store, alice.address, wrapped, alice.identityKey);
  return plaintext.slice(0, 32);
}

/** An envelope whose sender does not keep to the format. */
async function handmade(body: Bytes, wrappedPlaintext?: Bytes): Promise<Envelope> {
  const messageId = newMessageId();
  const additionalData = associatedData(alice.address, messageId);
  const [key, iv] = [randomBytes(32), randomBytes(12)];
  const aes = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt']);
  const algorithm = { name: 'AES-GCM', iv, additionalData };
  const payload = concat(iv, new Uint8Array(await crypto.subtle.encrypt(algorithm, aes, body)));
  const plaintext = wrappedPlaintext ?? concat(key, await payloadDigest(payload, additionalData));
  const { wrapped, changes } = await encryptFor(alice.store, bob.address, plaintext);
  alice.store.apply(changes);
  return { queueId: 1, messageId, sender: alice.address, position: 1, payload: toBase64(payload), key: wrapped };
}
