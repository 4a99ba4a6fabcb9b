import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keepAlive } from './transport-recovery.ts';

let emit: (state: RTCPeerConnectionState) => void;
const restartIce = vi.fn(() => Promise.resolve());
const onLost = vi.fn();
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  stop = keepAlive({
    onState: (listener) => {
      emit = listener;
      return () => {
        emit = () => {};
      };
    },
    restartIce,
    onFlowing: () => {},
    onLost,
  });
});
afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.clearAllMocks();
});

test('a moment without connection is waited out', () => {
  emit('disconnected');
  vi.advanceTimersByTime(2_000);
  emit('connected');
  vi.advanceTimersByTime(60_000);
  expect(restartIce).not.toHaveBeenCalled();
  expect(onLost).not.toHaveBeenCalled();
});

test('a longer one restarts ICE, once', () => {
  emit('disconnected');
  vi.advanceTimersByTime(3_000);
  emit('failed');
  expect(restartIce).toHaveBeenCalledTimes(1);
  emit('connected');
  vi.advanceTimersByTime(60_000);
  expect(onLost).not.toHaveBeenCalled();
});

test('a failed transport restarts at once, and is given up if that does not help', () => {
  emit('failed');
  expect(restartIce).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(7_900);
  expect(onLost).not.toHaveBeenCalled();
  vi.advanceTimersByTime(200);
  expect(onLost).toHaveBeenCalledTimes(1);
  emit('failed');
  vi.advanceTimersByTime(60_000);
  expect(onLost).toHaveBeenCalledTimes(1);
});

test('a second loss after a recovery is treated like the first', () => {
  emit('failed');
  emit('connected');
  emit('failed');
  expect(restartIce).toHaveBeenCalledTimes(2);
});

test('nothing happens after the end', () => {
  emit('disconnected');
  stop();
  vi.advanceTimersByTime(60_000);
  expect(restartIce).not.toHaveBeenCalled();
  expect(onLost).not.toHaveBeenCalled();
});
