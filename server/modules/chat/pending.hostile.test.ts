import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KyselyPlugin } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MAX_PAYLOAD_BYTES } from '../../../protocol/chat.ts';
import { MAX_FRAME_BYTES } from '../../../protocol/frames.ts';
import type { DeviceAddress, DeviceId, UserId } from '../../../protocol/ids.ts';
import { openStore, type Store } from '../../store/store.ts';
import { onEachDatabase } from '../../testing/databases.ts';
import { ChatStore } from './store.ts';

/* Somebody has let a full queue wait, and asks for it again and again: each time the server reads what it answers. */

const MESSAGES = 101;
const KEY_BYTES = 2048;

onEachDatabase((newDatabase) => {
  let dataDir: string;
  let store: Store;
  const device: DeviceAddress = { userId: randomUUID() as string as UserId, deviceId: 1 as DeviceId };
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'teahouse-pending-'));
    store = await openStore({ dataDir, databaseUrl: (await newDatabase()).DATABASE_URL });
  });
  afterEach(async () => {
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  async function fill(chatStore: ChatStore, payloadBytes: number): Promise<void> {
    const { userId, deviceId } = device;
    const messages: unknown[] = [];
    const queue: unknown[] = [];
    for (let position = 1; position <= MESSAGES; position++) {
      messages.push(position, randomUUID(), userId, deviceId, randomBytes(payloadBytes));
      queue.push(userId, deviceId, position, 'message', randomBytes(KEY_BYTES), payloadBytes + KEY_BYTES);
    }
    await store.transaction((trx) => chatStore.insertMessages(trx, messages, queue));
  }

  it('the longest messages: no more is read than fits the answer', async () => {
    const chatStore = new ChatStore(store.kind);
    await fill(chatStore, MAX_PAYLOAD_BYTES);
    const read = { bytes: 0 };
    const db = store.db.withPlugin(countBlobs(read));
    const { rows, more } = await chatStore.pending(db, device, 0, 100, MAX_FRAME_BYTES);
    expect(rows.length).toBeGreaterThan(0);
    expect(more).toBe(true);
    expect(read.bytes).toBeLessThan(MAX_FRAME_BYTES);
  });

  it('page after page has every message once and in order, whatever fits', async () => {
    const chatStore = new ChatStore(store.kind);
    await fill(chatStore, 3000);
    for (const characters of [1, 20_000, MAX_FRAME_BYTES]) {
      const positions: number[] = [];
      for (let page = { rows: [{ position: 0 }], more: true }; page.more;) {
        const after = page.rows.at(-1)?.position ?? Number.NaN;
        page = await chatStore.pending(store.db, device, after, 40, characters);
        positions.push(...page.rows.map(({ position }) => position));
      }
      expect(positions).toEqual(Array.from({ length: MESSAGES }, (_, index) => index + 1));
    }
  });
});

/** Counts the bytes of blobs that the database hands over. */
function countBlobs(read: { bytes: number }): KyselyPlugin {
  return {
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      for (const row of result.rows)
        for (const value of Object.values(row)) if (value instanceof Uint8Array) read.bytes += value.byteLength;
      return result;
    },
  };
}
