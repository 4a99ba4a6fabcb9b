import { setImmediate as nextTurn } from 'node:timers/promises';
import { delivered, type Envelope, type Recipient, type WrappedKey } from '../../../protocol/chat.ts';
import type { DeviceAddress, MessageId } from '../../../protocol/ids.ts';
import type { Payer } from '../../store/turns.ts';
import type { EventSink } from '../../ws/event-sink.ts';
import type { ExpiredNews } from './expired-news.ts';
import { ledgerKey } from './ledger.ts';
import { LIMITS } from './limits.ts';

/** A message that is kept, for the devices that are connected. */
export interface Announced {
  readonly messageId: MessageId;
  readonly position: number;
  readonly sender: DeviceAddress;
  readonly payload: string;
  readonly recipients: readonly Recipient[];
  /** Devices (as `ledgerKey`) that get no copy. */
  readonly skipped: ReadonlySet<string>;
  /** For whom the time counts that it takes to hand it over. */
  readonly payer: Payer;
}

/**
 * Hands messages to the devices that are connected, in order. One message may be for a thousand devices: the rest of them
 * waits for a later turn of the event loop, and the time counts for the sender.
 */
export class Announcements {
  readonly #events: EventSink;
  readonly #news: ExpiredNews;

  constructor(events: EventSink, news: ExpiredNews) {
    this.#events = events;
    this.#news = news;
  }

  /** To be called again only when it has resolved. */
  async tell(messages: readonly Announced[]): Promise<void> {
    let began = performance.now();
    let last = began;
    let bytes = 0;
    for (const message of messages) {
      const shared = sharedHalf(message);
      for (const recipient of message.recipients) {
        bytes += this.#tellOne(recipient, message, shared);
        const now = performance.now();
        message.payer.work(now - last, now);
        last = now;
        if (now - began < LIMITS.announcedMs.value && bytes < LIMITS.announcedBytes.value) continue;
        await nextTurn();
        [began, bytes] = [performance.now(), 0];
        last = began;
      }
    }
  }

  /** Returns about how many bytes that is. */
  #tellOne({ userId, keys }: Recipient, { skipped }: Announced, shared: string): number {
    let bytes = 0;
    for (const { deviceId, type, body } of keys) {
      if (skipped.has(ledgerKey(userId, deviceId))) {
        this.#news.tell([userId]);
        continue;
      }
      const own = ownHalf({ type, body });
      this.#events.toDeviceInHalves(userId, deviceId, delivered, { shared, own });
      bytes += shared.length + own.length;
    }
    return bytes;
  }
}

/** The text of `{ envelope }` up to the key, which each device has its own of. */
function sharedHalf({ messageId, sender, position, payload }: Announced): string {
  const envelope: Omit<Envelope, 'key'> = { queueId: position, messageId, sender, position, payload };
  return JSON.stringify({ envelope }).slice(0, -'}}'.length);
}

function ownHalf(key: WrappedKey): string {
  return `,"key":${JSON.stringify(key)}}}`;
}
