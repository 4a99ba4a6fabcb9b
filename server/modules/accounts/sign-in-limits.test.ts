import { RateLimiterMemory } from 'rate-limiter-flexible';
import { expect, it, vi } from 'vitest';
import type { DeviceId } from '../../../protocol/ids.ts';
import { refusal } from '../../testing/expect-code.ts';
import { LIMITS } from './limits.ts';
import { SignInLimits } from './sign-in-limits.ts';

const fail = async (
  limits: SignInLimits,
  username: string,
  address: string,
  proven: DeviceId | undefined,
  times = 1,
) => {
  for (let i = 0; i < times; i++) await limits.attempt(username, address, proven);
};

it('stops guessing at one account from one address, and leaves the owner elsewhere alone', async () => {
  const limits = new SignInLimits(1);
  await fail(limits, 'ada', '203.0.113.1', undefined, 10);
  const { details } = await refusal('rate_limited', limits.attempt('ada', '203.0.113.1', undefined));
  expect(details.retryAfterMs).toBeGreaterThan(0);
  await limits.attempt('ada', '198.51.100.7', undefined);
  await limits.attempt('bob', '203.0.113.1', undefined);
});

it('forgets failures after a success', async () => {
  const limits = new SignInLimits(1);
  for (let round = 0; round < 30; round++) {
    await fail(limits, 'ada', '203.0.113.1', undefined, 9);
    const forgive = await limits.attempt('ada', '203.0.113.1', undefined);
    await forgive();
    if (round >= 8) break;
  }
  await limits.attempt('ada', '203.0.113.1', undefined);
});

it('stops one address that tries many accounts', async () => {
  const limits = new SignInLimits(1);
  for (let i = 0; i < 100; i++) await limits.attempt(`user${i}`, '203.0.113.1', undefined);
  await refusal('rate_limited', limits.attempt('user100', '203.0.113.1', undefined));
});

it('slows many addresses that try one account, but not a device that has proved itself', async () => {
  const limits = new SignInLimits(1);
  for (let i = 0; i < 100; i++) await limits.attempt('ada', `198.51.100.${i}`, undefined);
  await refusal('rate_limited', limits.attempt('ada', '203.0.113.1', undefined));
  await limits.attempt('ada', '203.0.113.2', 7 as DeviceId);
});

it('counts what it refuses nowhere: one address uses up the tries of no account and not those of everybody', async () => {
  const limits = new SignInLimits(1);
  // Also all at once, so that none is counted between another's look and its count.
  const guesses = (username: string, address: string, times: number) =>
    Promise.allSettled(Array.from({ length: times }, () => limits.attempt(username, address, undefined)));
  const settled = await guesses('ada', '198.51.100.7', 5000);
  expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(LIMITS.failuresByAccountAndAddress.value);
  await limits.attempt('ada', '203.0.113.9', undefined);
  await limits.attempt('bob', '203.0.113.9', undefined);
  // The others behind the address of whoever guesses.
  await limits.attempt('bob', '198.51.100.7', undefined);
  // Neither does an account that has used up its tries use up those of everybody.
  for (let i = 0; i < 40; i++) await guesses('ada', `192.0.2.${i}`, 100);
  await refusal('rate_limited', limits.attempt('ada', '203.0.113.10', undefined));
  await limits.attempt('bob', '203.0.113.10', undefined);
});

it('counts what succeeds by account, and by device where one proves itself, however many are under way', async () => {
  const limits = new SignInLimits(1);
  const most = LIMITS.signInsByAccount.value;
  const succeed = async (username: string, address: string, device?: DeviceId) =>
    (await limits.attempt(username, address, device))();
  for (let i = 1; i < most; i++) await succeed('ada', '203.0.113.1');
  const last = await Promise.all([1, 2, 3].map(() => limits.attempt('ada', '203.0.113.1', undefined)));
  const settled = await Promise.allSettled(last.map((forgive) => forgive()));
  expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  await refusal('rate_limited', limits.attempt('ada', '198.51.100.7', undefined));
  await succeed('bob', '203.0.113.1');
  for (let i = 0; i < most; i++) await succeed('ada', '203.0.113.1', 7 as DeviceId);
  await refusal('rate_limited', limits.attempt('ada', '203.0.113.1', 7 as DeviceId));
  await succeed('ada', '203.0.113.1', 8 as DeviceId);
});

it('takes the addresses of one IPv6 site as one', async () => {
  const limits = new SignInLimits(1);
  for (let i = 0; i < 10; i++) await limits.attempt('ada', `2001:db8:0:1::${i}`, undefined);
  await refusal('rate_limited', limits.attempt('ada', '2001:db8:0:1:ffff::1', undefined));
  await limits.attempt('ada', '2001:db8:0:2::1', undefined);
});

it('lets nobody use up the tries of a device that proves itself', async () => {
  const limits = new SignInLimits(1);
  const device = 7 as DeviceId;
  // Strangers at the owner's own address, and at every other one.
  for (let i = 0; i < 4000; i++) await limits.attempt('ada', '203.0.113.1', undefined).catch(() => undefined);
  for (let i = 0; i < 4000; i++)
    await limits.attempt(`u${i}`, `198.51.${i >> 8}.${i & 255}`, undefined).catch(() => undefined);
  await refusal('rate_limited', limits.attempt('ada', '203.0.113.1', undefined));
  await limits.attempt('ada', '203.0.113.1', device);
  await refusal('rate_limited', limits.attempt('someone', '192.0.2.1', undefined));
  await fail(limits, 'ada', '203.0.113.1', device, 19);
  await refusal('rate_limited', limits.attempt('ada', '192.0.2.1', device));
  await limits.attempt('ada', '192.0.2.1', 8 as DeviceId);
});

it('keeps nothing of attempts that it refuses, whatever name and address they come with', async () => {
  const consumed = vi.spyOn(RateLimiterMemory.prototype, 'consume');
  /** What the library keeps, counted over all that were ever asked. */
  const entries = () =>
    [...new Set(consumed.mock.contexts)].reduce<number>((sum, limiter) => {
      const { _memoryStorage: memory } = limiter as unknown as { _memoryStorage: { _storage: Map<string, unknown> } };
      return sum + memory._storage.size;
    }, 0);
  const limits = new SignInLimits(1);
  const refused = async (username: string, address: string) => {
    await refusal('rate_limited', limits.attempt(username, address, undefined));
  };
  // From one address, under names of its making.
  for (let i = 0; i < 100; i++) await limits.attempt(`a${i}`, '203.0.113.1', undefined);
  const byAddress = entries();
  for (let i = 0; i < 500; i++) await refused(`b${i}`, '203.0.113.1');
  expect(entries()).toBe(byAddress);
  // From everywhere, once all strangers together have used up theirs.
  for (let i = 100; i < 3000; i++) await limits.attempt(`c${i}`, `198.51.${i >> 8}.${i & 255}`, undefined);
  const byAll = entries();
  for (let i = 0; i < 500; i++) await refused(`d${i}`, `2001:db8:${i.toString(16)}::1`);
  expect(entries()).toBe(byAll);
  consumed.mockRestore();
});
