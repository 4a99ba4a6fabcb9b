import { afterEach, expect, it, vi } from 'vitest';
import { dismissExpired, expired, expiredChanged } from '../../../protocol/chat.ts';
import type { UserId } from '../../../protocol/ids.ts';
import { sendTo } from '../../testing/person.ts';
import { startTestServer } from '../../testing/test-server.ts';
import type { EventSink } from '../../ws/event-sink.ts';
import { ExpiredNews } from './expired-news.ts';

const DAY_MS = 24 * 3_600_000;

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('somebody who is online hears at once that messages were not kept, and when that was read elsewhere', async () => {
  const timers = vi.spyOn(globalThis, 'setInterval');
  let ahead = 0;
  const now = () => Date.now() + ahead;
  const server = await startTestServer({ now }, { TEAHOUSE_KEEP_DAYS: '2' });
  try {
    const daily = timers.mock.calls.find(([, ms]) => ms === DAY_MS)?.[0];
    const [ada, bob] = [await server.join(), await server.join()];
    const { deviceId } = bob.person.device.public;
    await sendTo(ada.client, bob.person);
    ahead = 3 * DAY_MS;
    vi.useFakeTimers({ toFake: ['setTimeout'], shouldAdvanceTime: true });
    daily?.();
    await bob.client.next(expiredChanged);
    expect(await bob.client.request(expired, {})).toEqual({ devices: [{ deviceId, count: 1 }] });
    const others = ada.client.events.map(({ event }) => event);
    expect(others, 'it is nobody else’s affair').not.toContain(expiredChanged.name);
    await bob.client.request(dismissExpired, { deviceId });
    await vi.advanceTimersByTimeAsync(10_000);
    await bob.client.next(expiredChanged);
  } finally {
    await server.dispose();
  }
});

it('however often messages are skipped, nobody is told more than once in ten seconds', async () => {
  vi.useFakeTimers();
  const told: string[] = [];
  const toUser: EventSink['toUser'] = (userId) => void told.push(userId);
  const news = new ExpiredNews({ toUser } as EventSink);
  for (let second = 0; second < 60; second += 1) {
    for (let i = 0; i < 100; i += 1) news.tell(['ada' as UserId, `${i}` as UserId]);
    await vi.advanceTimersByTimeAsync(1000);
  }
  await vi.advanceTimersByTimeAsync(20_000);
  const times = told.filter((userId) => userId === 'ada').length;
  expect(times).toBeGreaterThan(5);
  expect(times).toBeLessThan(9);
  expect(vi.getTimerCount(), 'and nothing runs when there is nothing to say').toBe(0);
  news.tell(['ada' as UserId, 'ben' as UserId]);
  news.tell(['cai' as UserId]);
  news.close();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(told.slice(-2)).toEqual(['ada', 'ben']);
});
