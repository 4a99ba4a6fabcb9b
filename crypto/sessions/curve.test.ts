import { describe, expect, it } from 'vitest';
import { codeOf } from '../testing/party.ts';
import {
  checkPublicKey,
  generateSignalKeyPair,
  isSignedByIdentity,
  signWithIdentity,
  webCryptoCurve,
} from './curve.ts';

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (buffer: ArrayBuffer) => Buffer.from(buffer).toString('hex');
const agree = (scalar: string, u: string) => webCryptoCurve.sharedSecret(bytes(u).buffer, bytes(scalar).buffer);

describe('X25519', () => {
  it('agrees with the vectors of RFC 7748, section 5.2', async () => {
    const first = agree(
      'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
      'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
    );
    expect(hex(await first)).toBe('c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552');
    const second = agree(
      '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
      'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
    );
    expect(hex(await second)).toBe('95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957');
  });

  it('iterates as RFC 7748, section 5.2 does', async () => {
    let [k, u] = [bytes(`09${'00'.repeat(31)}`).buffer, bytes(`09${'00'.repeat(31)}`).buffer];
    for (let i = 0; i < 1000; i++) {
      [k, u] = [await webCryptoCurve.sharedSecret(u, k), k];
      if (i === 0) expect(hex(k)).toBe('422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079');
    }
    expect(hex(k)).toBe('684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51');
  });

  it('derives the key pairs of RFC 7748, section 6.1', async () => {
    const alice = await webCryptoCurve.keyPair(
      bytes('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a').buffer,
    );
    const bob = await webCryptoCurve.keyPair(
      bytes('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb').buffer,
    );
    expect(hex(alice.pubKey)).toBe('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
    expect(hex(bob.pubKey)).toBe('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
    const shared = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742';
    expect(hex(await webCryptoCurve.sharedSecret(bob.pubKey, alice.privKey))).toBe(shared);
    expect(hex(await webCryptoCurve.sharedSecret(alice.pubKey, bob.privKey))).toBe(shared);
  });

  // The points of small order on the curve and its twist, canonical and not, as in Wycheproof's x25519_test.json.
  it.each([
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '0000000000000000000000000000000000000000000000000000000000000080',
    '0100000000000000000000000000000000000000000000000000000000000080',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  ])('refuses the low-order point %s', async (point) => {
    expect(await codeOf(agree('88227494038f2bb811d47805bcdf04a2ac585ada7f2f23389bfd4658f9ddd45e', point))).toBe(
      'key_weak',
    );
  });
});

describe('a public key', () => {
  it('has one form only', async () => {
    const { publicKey } = await generateSignalKeyPair();
    const broken = (change: (key: Uint8Array) => Uint8Array) =>
      codeOf(Promise.resolve(change(publicKey.slice())).then(checkPublicKey));
    expect(await broken((key) => key)).toBe('accepted');
    expect(await broken((key) => key.fill(6, 0, 1))).toBe('malformed');
    expect(await broken((key) => key.subarray(1))).toBe('malformed');
    expect(await broken((key) => key.subarray(0, 32))).toBe('malformed');
    expect(await broken((key) => key.fill((key[32] ?? 0) | 0x80, 32))).toBe('malformed');
    for (const low of ['ed', 'ee', 'ff']) {
      expect(await broken(() => bytes(`05${low}${'ff'.repeat(30)}7f`))).toBe('malformed');
    }
    expect(await broken(() => bytes(`05ec${'ff'.repeat(30)}7f`))).toBe('accepted');
  });
});

describe('XEdDSA', () => {
  it('verifies what it signed, and nothing near it', async () => {
    const { publicKey, privateKey } = await generateSignalKeyPair();
    const message = bytes('00112233');
    const signature = await signWithIdentity(privateKey, message);
    expect(await isSignedByIdentity(publicKey, message, signature)).toBe(true);
    expect(await isSignedByIdentity(publicKey, bytes('00112234'), signature)).toBe(false);
    expect(await isSignedByIdentity((await generateSignalKeyPair()).publicKey, message, signature)).toBe(false);
    expect(await isSignedByIdentity(publicKey, message, signature.slice(0, 63))).toBe(false);
    for (const i of [0, 31, 32, 62, 63]) {
      const flipped = signature.slice();
      flipped[i]! ^= 1;
      expect(await isSignedByIdentity(publicKey, message, flipped)).toBe(false);
    }
    expect(await codeOf(isSignedByIdentity(publicKey.slice(1), message, signature))).toBe('malformed');
  });
});
