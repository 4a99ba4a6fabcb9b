import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { prekeyStatus, publishPrekeys } from '../../../protocol/devices.ts';
import type { LinkRequest } from '../../../protocol/devices.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { DeviceId } from '../../../protocol/ids.ts';
import type { Vault } from '../../crypto/vault.ts';
import type { Connection } from '../../net/connection.ts';
import { LinkRequests } from './link-requests.ts';
import { PrekeyUpkeep } from './prekey-upkeep.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function request(deviceId: number, identityKey: string, change: Partial<LinkRequest> = {}): LinkRequest {
  return {
    deviceId: DeviceId.parse(deviceId),
    identityKey,
    authenticationKey: 'authentication',
    name: 'Laptop',
    addedAt: 1,
    expiresAt: Date.now() + 60_000,
    ...change,
  };
}

/** Codes stand for what they cover. */
const codes = {
  linkCode: ({ deviceId, identityKey }: LinkRequest) => Promise.resolve(`${deviceId}/${identityKey}`),
} as unknown as Vault;

describe('a server that changes a request while it is looked at', () => {
  it('makes another request with another code, and withdraws the first', async () => {
    const requests = new LinkRequests(codes);
    await requests.add(request(1, 'mine'));
    const [shown] = requests.open;
    await requests.add(request(1, 'swapped'));
    expect(requests.open.map(({ code }) => code)).toEqual(['1/swapped']);
    expect(shown?.code).toBe('1/mine');
    expect(requests.find('1/mine'), 'what was shown is not approved as something else').toBeUndefined();
    expect(requests.find('1/swapped')?.identityKey).toBe('swapped');
  });

  it('cannot change what is shown besides the keys, nor make it last', async () => {
    const requests = new LinkRequests(codes);
    await requests.add(request(1, 'mine', { expiresAt: Number.MAX_SAFE_INTEGER }));
    await requests.add(request(1, 'mine', { name: 'Something else' }));
    expect(requests.open).toMatchObject([{ name: 'Laptop', expiresAt: Date.now() + 600_000 }]);
    vi.advanceTimersByTime(600_001);
    expect(requests.open).toEqual([]);
  });

  it('cannot turn the sentence around that asks for the approval', async () => {
    const requests = new LinkRequests(codes);
    await requests.add(request(1, 'mine', { name: 'Lap\u202etop\n' }));
    expect(requests.open).toMatchObject([{ name: 'Laptop' }]);
  });

  it('withdraws what it does not list any more', async () => {
    const requests = new LinkRequests(codes);
    await requests.add(request(1, 'one'));
    await requests.replace([request(2, 'two')]);
    expect(requests.open.map(({ code }) => code)).toEqual(['2/two']);
  });

  it('cannot fill the screen', async () => {
    const requests = new LinkRequests(codes);
    for (let i = 1; i <= 10_000; i += 1) await requests.add(request(i, 'key'));
    expect(requests.open).toHaveLength(16);
  });
});

describe('a server that says 10,000 times that prekeys run low', () => {
  function upkeep(publish: () => Promise<unknown>) {
    const asked = { vault: 0, published: 0, refused: 0 };
    const connection = {
      request: (method: { readonly name: string }) => {
        if (method.name === prekeyStatus.name) return Promise.resolve({ remaining: 0 });
        expect(method.name).toBe(publishPrekeys.name);
        return publish();
      },
    } as unknown as Connection;
    const vault = {
      prekeysToPublish: () => Promise.resolve((asked.vault += 1) && { idempotencyId: 'id', prekeys: [] }),
      prekeysPublished: () => Promise.resolve(void (asked.published += 1)),
      prekeysRefused: () => Promise.resolve(void (asked.refused += 1)),
    } as unknown as Vault;
    const faults: unknown[] = [];
    return { asked, faults, prekeys: new PrekeyUpkeep(connection, vault, (error) => faults.push(error)) };
  }

  it('is listened to once, and once more a minute later', async () => {
    const { asked, prekeys } = upkeep(() => Promise.resolve({ remaining: 100 }));
    for (let i = 0; i < 10_000; i += 1) await prekeys.check(0);
    expect(asked).toEqual({ vault: 1, published: 1, refused: 0 });
    await vi.advanceTimersByTimeAsync(60_001);
    expect(asked).toEqual({ vault: 2, published: 2, refused: 0 });
    prekeys.clear();
  });

  it('and then refuses them has them thrown away, and the fault told', async () => {
    const refusal = new ProtocolError('prekey_invalid', 'no');
    const { asked, prekeys } = upkeep(() => Promise.reject(refusal));
    await expect(prekeys.check(0)).rejects.toBe(refusal);
    expect(asked).toEqual({ vault: 1, published: 0, refused: 1 });
    prekeys.clear();
  });
});
