import { crypto as primitives } from '@privacyresearch/libsignal-protocol-typescript/lib/internal/crypto.js';
import { afterEach, expect, it, vi } from 'vitest';
import { randomBytes } from '../bytes.ts';
import { codeOf, connect, makeParty, receive, send } from '../testing/party.ts';
// Puts our primitives under the library first, so that what is spied on below is ours.
import './library.ts';

afterEach(() => vi.restoreAllMocks());

it('refuses a message with a right MAC and a wrong padding by a code, and reads the next', async () => {
  const [alice, bob] = await Promise.all([makeParty(), makeParty()]);
  await connect(alice, bob);
  expect(await receive(bob, alice, await send(alice, bob, 'first'))).toBe('first');
  const garbage = vi.spyOn(primitives, 'encrypt');
  for (let n = 0; n < 4; n++) {
    // Whole blocks of noise: the padding they decrypt to is wrong 255 times of 256.
    garbage.mockResolvedValueOnce(randomBytes(64).buffer);
    const crafted = await send(alice, bob, 'noise');
    expect(['tampered', 'accepted']).toContain(await codeOf(receive(bob, alice, crafted)));
  }
  expect(await receive(bob, alice, await send(alice, bob, 'last'))).toBe('last');
});
