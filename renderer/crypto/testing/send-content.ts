import { IDBKeyRange } from 'fake-indexeddb';
import { vi } from 'vitest';
import { sealMessage } from '../../../crypto/envelopes/seal-message.ts';
import { MessageContent } from '../../../protocol/chat.ts';
import { IdempotencyId, MessageId } from '../../../protocol/ids.ts';
import type { UserId } from '../../../protocol/ids.ts';
import { Batch } from '../batch.ts';
import { Profiles } from '../profiles.ts';
import { HOME } from './test-client.ts';
import type { TestClient } from './test-client.ts';

/** A client of one's own sends contents that ours may refuse to write, to the devices of `to`; a session with each exists. */
export async function sendContent(from: TestClient, to: UserId, contents: readonly unknown[]): Promise<void> {
  await from.vault.close();
  const storage = { indexedDB: from.disk, IDBKeyRange };
  const profiles = await Profiles.load(storage, () => from.time, null, HOME);
  const profile = (await profiles.openLast())!;
  for (const content of contents) {
    const data = content as MessageContent;
    const refuses = vi.spyOn(MessageContent, 'safeParse').mockReturnValueOnce({ success: true, data });
    const batch = new Batch(profile);
    const messageId = MessageId.parse(crypto.randomUUID());
    const sealed = await sealMessage({
      content: data,
      messageId,
      sender: from.address,
      recipients: [profile.peers.get(to)!.list],
      store: batch.sessions,
    });
    refuses.mockRestore();
    batch.sessions.stage(sealed.changes);
    await batch.commit();
    const { payload, recipients } = sealed;
    const position = from.relay.send(from.address, {
      payload,
      recipients,
      idempotencyId: IdempotencyId.parse(messageId),
    });
    if (position === 'stale') throw new Error('it is not for exactly the devices of that person');
  }
  profiles.close();
  await from.restart();
}
