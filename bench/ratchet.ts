import type { Party } from '../crypto/testing/party.ts';
import { report } from './report.ts';

/**
 * The Double Ratchet: how fast two devices talk. Everything is counted on one thread, both devices with it.
 * The limits come from the same run: the bare library on its own asm.js curve, and X25519 agreements alone.
 * Run with `node bench/ratchet.ts`.
 */

/** Operations per second: repeats for at least `ms` milliseconds, after a warm-up half as long. */
async function rate(operation: () => Promise<unknown>, ms = 1500): Promise<number> {
  const warm = performance.now() + ms / 2;
  while (performance.now() < warm) await operation();
  const start = performance.now();
  let done = 0;
  while (performance.now() - start < ms) {
    await operation();
    done++;
  }
  return done / ((performance.now() - start) / 1000);
}

/** Must run before the hardened library is loaded, which puts its primitives under the one copy there is. */
async function bareLibrary(): Promise<{ pingPong: number; oneDirection: number; handshake: number }> {
  const { bareConnect, bareReceive, bareSend, makeBareParty } = await import('../crypto/testing/bare-party.ts');
  const [alice, bob] = [await makeBareParty('alice'), await makeBareParty('bob')];
  const start = performance.now();
  await bareConnect(alice, bob);
  await bareReceive(bob, alice, await bareSend(alice, bob, 'hello'));
  const handshake = performance.now() - start;
  await bareReceive(alice, bob, await bareSend(bob, alice, 'hello'));
  const pingPong = await rate(async () => {
    await bareReceive(bob, alice, await bareSend(alice, bob, 'ping'));
    await bareReceive(alice, bob, await bareSend(bob, alice, 'pong'));
  });
  const oneDirection = await rate(async () => bareReceive(bob, alice, await bareSend(alice, bob, 'ping')));
  return { pingPong: pingPong * 2, oneDirection, handshake };
}

async function rawAgreements(): Promise<number> {
  const ours = await crypto.subtle.generateKey('X25519', false, ['deriveBits']);
  const theirs = await crypto.subtle.generateKey('X25519', false, ['deriveBits']);
  if (!('publicKey' in ours) || !('publicKey' in theirs)) throw new TypeError('not a key pair');
  const algorithm = { name: 'X25519', public: theirs.publicKey };
  return rate(() => crypto.subtle.deriveBits(algorithm, ours.privateKey, 256), 500);
}

const bare = await bareLibrary();
const agreements = await rawAgreements();
const { bundleOf, connect, listOf, makeParty, randomUserId, receive, send } =
  await import('../crypto/testing/party.ts');
const { startSession } = await import('../crypto/sessions/start-session.ts');
const { sealMessage } = await import('../crypto/envelopes/seal-message.ts');
const [alice, bob] = [await makeParty(), await makeParty()];

async function conversation(): Promise<void> {
  await connect(alice, bob);
  await receive(bob, alice, await send(alice, bob, 'hello'));
  await receive(alice, bob, await send(bob, alice, 'hello'));
  const pingPong = await rate(async () => {
    await receive(bob, alice, await send(alice, bob, 'ping'));
    await receive(alice, bob, await send(bob, alice, 'pong'));
  }, 4000);
  report({
    bench: 'ratchet.ping_pong',
    value: pingPong * 2,
    unit: 'messages/s',
    target: 1000,
    // A ratchet step is three scalar multiplications: two agreements and a new key pair.
    limit: { name: 'raw X25519, three to a message', value: agreements / 3, unit: 'messages/s' },
  });
  report({ bench: 'ratchet.ping_pong.bare_library', value: bare.pingPong, unit: 'messages/s' });
  const oneDirection = await rate(async () => receive(bob, alice, await send(alice, bob, 'ping')));
  const limit = { name: 'bare library', value: bare.oneDirection, unit: 'messages/s' };
  report({ bench: 'ratchet.one_direction', value: oneDirection, unit: 'messages/s', limit });
  report({ bench: 'ratchet.x25519', value: agreements, unit: 'agreements/s' });
}

/** Encrypting alone, and decrypting alone, of one chain. */
async function halves(): Promise<void> {
  const encrypted: Awaited<ReturnType<typeof send>>[] = [];
  const encrypts = await rate(async () => encrypted.push(await send(alice, bob, 'ping')));
  const start = performance.now();
  for (const wrapped of encrypted) await receive(bob, alice, wrapped);
  report({ bench: 'ratchet.encrypt', value: encrypts, unit: 'messages/s' });
  const seconds = (performance.now() - start) / 1000;
  report({ bench: 'ratchet.decrypt', value: encrypted.length / seconds, unit: 'messages/s' });
}

async function handshake(): Promise<void> {
  const starts = await rate(() => startSession(alice.store, bob.address, bundleOf(bob), bob.identityKey));
  const limit = { name: 'bare library, both sides', value: bare.handshake, unit: 'ms' };
  report({ bench: 'ratchet.x3dh_initiator', value: 1000 / starts, unit: 'ms', lowerIsBetter: true, limit });
}

async function sealing(devices: number): Promise<void> {
  const recipients: Party[] = await Promise.all(Array.from({ length: devices }, makeParty));
  const userId = randomUserId();
  const parties = recipients.map((party, i) => {
    const device = { ...party.device, newDevice: { ...party.device.newDevice, deviceId: i + 1 } };
    return { ...party, device, address: { userId, deviceId: i + 1 } } as Party;
  });
  for (const party of parties) {
    await connect(alice, party);
    await receive(party, alice, await send(alice, party, 'hello'));
    await receive(alice, party, await send(party, alice, 'hello'));
  }
  const seals = await rate(async () => {
    const { changes } = await sealMessage({
      content: { version: 1, conversation: userId, sentAt: 1, content: { kind: 'text', text: 'Tea at four?' } },
      messageId: randomUserId() as unknown as Parameters<typeof sealMessage>[0]['messageId'],
      sender: alice.address,
      recipients: [listOf(userId, ...parties)],
      store: alice.store,
    });
    alice.store.apply(changes);
  });
  report({ bench: `ratchet.seal.${devices}_devices`, value: 1000 / seals, unit: 'ms', lowerIsBetter: true });
}

await conversation();
await halves();
await handshake();
for (const devices of [1, 8]) await sealing(devices);
