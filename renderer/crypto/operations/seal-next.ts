import { CryptoError } from '../../../crypto/crypto-error.ts';
import { sealMessage } from '../../../crypto/envelopes/seal-message.ts';
import { sessionsMissing } from '../../../crypto/envelopes/sessions-missing.ts';
import { devicesToReach } from '../../../crypto/envelopes/seal-message.ts';
import { addressKey } from '../../../crypto/sessions/session-store.ts';
import type { DeviceList } from '../../../protocol/devices.ts';
import { IdempotencyId } from '../../../protocol/ids.ts';
import type { DeviceAddress, UserId } from '../../../protocol/ids.ts';
import type { OutboxRow } from '../../db/profile-database.ts';
import { Batch } from '../batch.ts';
import { selfOf } from '../profile.ts';
import type { Profile } from '../profile.ts';
import type { SealOutcome } from '../vault.ts';
import { openOutboxItem, sealOutboxItem } from './outbox-items.ts';

/** See `Vault.sealNext`. */
export async function sealNext(
  profile: Profile,
  { conversation, again }: { readonly conversation: UserId; readonly again: boolean },
): Promise<SealOutcome> {
  const row = await profile.db.outbox.where('[waiting+conversation]').equals([1, conversation]).first();
  if (row === undefined) return { kind: 'idle' };
  const { messageId } = row;
  const item = await openOutboxItem(profile, row);
  if (item.params !== null && !again) return { kind: 'sealed', messageId, params: item.params };

  const peer = profile.peers.get(conversation);
  if (peer === undefined) return { kind: 'need-lists', messageId, users: [conversation] };
  if (peer.problem !== null) return { kind: 'refused', messageId, problem: peer.problem };
  const recipients = recipientsOf(profile, peer.list);
  const batch = new Batch(profile);
  const devices = await sessionsToStart(profile, batch, recipients);
  if (devices.length > 0) return { kind: 'need-bundles', messageId, devices };
  try {
    return await seal(profile, batch, row, recipients);
  } catch (error) {
    if (!CryptoError.is(error)) throw error;
    return { kind: 'refused', messageId, problem: null };
  }
}

/** The other person, and one's own other devices if there are any. */
function recipientsOf(profile: Profile, peer: DeviceList): DeviceList[] {
  const own = profile.peers.get(profile.info.userId)?.list;
  const others = own !== undefined && own.userId !== peer.userId && devicesToReach(own, selfOf(profile)).length > 0;
  return others ? [peer, own] : [peer];
}

async function sessionsToStart(
  profile: Profile,
  batch: Batch,
  recipients: readonly DeviceList[],
): Promise<DeviceAddress[]> {
  const self = selfOf(profile);
  const missing = await sessionsMissing(batch.sessions, recipients, self);
  const known = new Set(missing.map(addressKey));
  const present = recipients
    .flatMap((list) => devicesToReach(list, self).map(({ address }) => address))
    .filter((address) => !known.has(addressKey(address)));
  const rows = await profile.db.sessions.bulkGet(present.map(addressKey));
  return [...missing, ...present.filter((_, i) => rows[i]?.renew === true)];
}

/** The ratchets' new states, and the bytes that they made, are durable before anything is sent. */
async function seal(
  profile: Profile,
  batch: Batch,
  row: OutboxRow,
  recipients: readonly DeviceList[],
): Promise<SealOutcome> {
  const { messageId } = row;
  const { content } = await openOutboxItem(profile, row);
  const sender = selfOf(profile);
  const message = await sealMessage({ content, messageId, sender, recipients, store: batch.sessions });
  batch.sessions.stage(message.changes);
  const idempotencyId = IdempotencyId.parse(messageId);
  const params = { payload: message.payload, recipients: message.recipients, idempotencyId };
  const sealed = await sealOutboxItem(profile, messageId, { content, params });
  batch.write((db) => db.outbox.put({ ...row, sealed }));
  await batch.commit();
  return { kind: 'sealed', messageId, params };
}
