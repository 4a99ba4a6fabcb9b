import { acknowledge, dismissExpired, expired, pending, send, type Envelope } from '../../../protocol/chat.ts';
import { MAX_FRAME_BYTES } from '../../../protocol/frames.ts';
import type { MessageId, UserId } from '../../../protocol/ids.ts';
import { register } from '../../ws/method.ts';
import type { ServerModule } from '../../ws/module.ts';
import { scopeOf } from '../../ws/replay.ts';
import type { Log } from '../../log.ts';
import { ExpiredNews } from './expired-news.ts';
import { GoneQueues } from './gone-queues.ts';
import { Outgoing, type ChatDeps, type OutgoingDeps } from './outgoing.ts';
import { SenderQuota } from './sender-quota.ts';

export { expireMessages } from './expire.ts';
export { emptyGoneQueues } from './gone-queues.ts';
export { defaultQuotas } from './quotas.ts';
export type { Quotas } from './room.ts';
export { ChatStore } from './store.ts';

/** Room in an answer for envelopes; the rest of a frame is for what is around them. */
const MAX_ANSWER_CHARACTERS = MAX_FRAME_BYTES - 4096;

export interface ChatModule extends ServerModule {
  /** Messages that wait to be written. */
  readonly waiting: () => number;
  /** Tells these accounts that messages were not kept for them. */
  readonly tellExpired: (users: Iterable<UserId>) => void;
  /** Devices have left their lists, and that is committed: begins to delete what waits for them. */
  readonly devicesGone: () => void;
}

/** Takes messages for devices, keeps them until they are acknowledged, and hands them over. */
export function chatModule(chatDeps: ChatDeps & { readonly log: Log }): ChatModule {
  const news = new ExpiredNews(chatDeps.events);
  const deps = { ...chatDeps, news };
  const outgoing = new Outgoing(deps);
  const goneQueues = new GoneQueues(deps.store, deps.log);
  return {
    methods: [
      sendMethod(outgoing, new SenderQuota(deps.quotas, deps.now)),
      pendingMethod(deps),
      acknowledgeMethod(outgoing),
      expiredMethod(deps),
      dismissExpiredMethod(deps),
    ],
    waiting: () => outgoing.waiting,
    tellExpired: (users) => news.tell(users),
    devicesGone: () => goneQueues.wake(),
    async close() {
      await outgoing.flush();
      await goneQueues.close();
      news.close();
    },
  };
}

function sendMethod(outgoing: Outgoing, quota: SenderQuota) {
  return register(send, {
    permission: 'device',
    // Receipts are sends too. A burst is an outbox that comes back from hours offline.
    limit: { requests: 3000, seconds: 10, by: 'account' },
    batched: true,
    // The answer is kept in the transaction that keeps the message.
    replay: 'own',
    handle: async ({ idempotencyId, payload, recipients, after }, caller) => {
      const { userId, deviceId } = caller.session;
      const giveBack = quota.take(userId, payload, recipients);
      const sender = { userId, deviceId };
      const from = { scope: scopeOf(caller), sender, payer: caller.payer };
      try {
        return await outgoing.send({ ...from, id: idempotencyId, payload, recipients, after });
      } catch (error) {
        // A passing trouble, tried again, must not use up the hour.
        giveBack();
        throw error;
      }
    },
  });
}

function pendingMethod({ store, chatStore }: OutgoingDeps) {
  return register(pending, {
    permission: 'device',
    limit: { requests: 600, seconds: 10, by: 'account' },
    handle: async ({ after, limit }, { session }) => {
      const { rows, more } = await chatStore.pending(store.db, session, after, limit, MAX_ANSWER_CHARACTERS);
      const envelopes = rows.map((row): Envelope => ({
        queueId: row.position,
        messageId: row.messageId as MessageId,
        sender: { userId: row.senderUserId, deviceId: row.senderDeviceId },
        position: row.position,
        payload: base64(row.payload),
        key: { type: row.keyType, body: base64(row.keyBody) },
      }));
      return { envelopes, more };
    },
  });
}

function acknowledgeMethod(outgoing: Outgoing) {
  return register(acknowledge, {
    permission: 'device',
    limit: { requests: 3000, seconds: 10, by: 'account' },
    batched: true,
    handle: async ({ queueIds }, { session: { userId, deviceId }, payer }) => {
      await outgoing.acknowledge({ userId, deviceId, positions: queueIds, payer });
      return {};
    },
  });
}

function expiredMethod({ store, chatStore }: OutgoingDeps) {
  return register(expired, {
    permission: 'device',
    limit: { requests: 60, seconds: 60, by: 'account' },
    handle: async (_, { session }) => ({ devices: await chatStore.expired(store.db, session.userId) }),
  });
}

function dismissExpiredMethod({ store, chatStore, news }: OutgoingDeps) {
  return register(dismissExpired, {
    permission: 'device',
    limit: { requests: 60, seconds: 60, by: 'account' },
    handle: async ({ deviceId }, { session }) => {
      await chatStore.dismissExpired(store.db, session.userId, deviceId);
      news.tell([session.userId]);
      return {};
    },
  });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
