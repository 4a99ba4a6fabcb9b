import type { Bus, Topic, Topics } from './bus.ts';

/**
 * The bus of a server that is one process: listeners run at once, in the order of their subscription. A listener that
 * throws is reported to `onError` and keeps nobody from hearing the message.
 */
export function localBus(onError: (error: unknown, topic: Topic) => void): Bus {
  const listeners = new Map<Topic, Set<(message: never) => void>>();
  return {
    publish<T extends Topic>(topic: T, message: Topics[T]) {
      for (const listener of listeners.get(topic) ?? []) {
        try {
          (listener as (message: Topics[T]) => void)(message);
        } catch (error) {
          onError(error, topic);
        }
      }
    },
    subscribe(topic, listener) {
      const set = listeners.get(topic) ?? new Set();
      listeners.set(topic, set.add(listener));
      return () => void set.delete(listener);
    },
    async close() {
      listeners.clear();
    },
  };
}
