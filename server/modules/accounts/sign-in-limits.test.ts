import { expect, it } from 'vitest';
import { refusal } from '../../testing/expect-code.ts';
import { SignInLimits } from './sign-in-limits.ts';

const fail = async (limits: SignInLimits, username: string, address: string, proven = false, times = 1) => {
  for (let i = 0; i < times; i++) await limits.attempt(username, address, proven);
};

it('stops guessing at one account from one address, and leaves the owner elsewhere alone', async () => {
  const limits = new SignInLimits(1);
  await fail(limits, 'ada', '203.0.113.1', false, 10);
  const { details } = await refusal('rate_limited', limits.attempt('ada', '203.0.113.1', false));
  expect(details.retryAfterMs).toBeGreaterThan(0);
  await limits.attempt('ada', '198.51.100.7', false);
  await limits.attempt('bob', '203.0.113.1', false);
});

it('forgets failures after a success', async () => {
  const limits = new SignInLimits(1);
  for (let round = 0; round < 30; round++) {
    await fail(limits, 'ada', '203.0.113.1', false, 9);
    const forgive = await limits.attempt('ada', '203.0.113.1', false);
    await forgive();
    if (round >= 8) break;
  }
  await limits.attempt('ada', '203.0.113.1', false);
});

it('stops one address that tries many accounts', async () => {
  const limits = new SignInLimits(1);
  for (let i = 0; i < 100; i++) await limits.attempt(`user${i}`, '203.0.113.1', false);
  await refusal('rate_limited', limits.attempt('user100', '203.0.113.1', false));
});

it('slows many addresses that try one account, but not a device that has proved itself', async () => {
  const limits = new SignInLimits(1);
  for (let i = 0; i < 100; i++) await limits.attempt('ada', `198.51.100.${i}`, false);
  await refusal('rate_limited', limits.attempt('ada', '203.0.113.1', false));
  await limits.attempt('ada', '203.0.113.2', true);
});

it('takes the addresses of one IPv6 site as one', async () => {
  const limits = new SignInLimits(1);
  for (let i = 0; i < 10; i++) await limits.attempt('ada', `2001:db8:0:1::${i}`, false);
  await refusal('rate_limited', limits.attempt('ada', '2001:db8:0:1:ffff::1', false));
  await limits.attempt('ada', '2001:db8:0:2::1', false);
});
