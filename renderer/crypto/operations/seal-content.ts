import { CryptoError } from '../../../crypto/crypto-error.ts';
import { devicesToReach, sealMessage } from '../../../crypto/envelopes/seal-message.ts';
import { sessionsMissing } from '../../../crypto/envelopes/sessions-missing.ts';
import { addressKey } from '../../../crypto/sessions/session-store.ts';
import type { MessageContent, send } from '../../../protocol/chat.ts';
import type { DeviceList } from '../../../protocol/devices.ts';
import { IdempotencyId } from '../../../protocol/ids.ts';
import type { DeviceAddress, MessageId, UserId } from '../../../protocol/ids.ts';
import type { ParamsOf } from '../../../protocol/method.ts';
import type { Batch } from '../batch.ts';
import { problemWith, selfOf } from '../profile.ts';
import type { Profile } from '../profile.ts';
import type { TrustProblem } from '../vault.ts';

export type SealedContent =
  | { readonly kind: 'sealed'; readonly params: ParamsOf<typeof send> }
  | { readonly kind: 'need-lists'; readonly users: readonly UserId[] }
  | { readonly kind: 'need-bundles'; readonly devices: readonly DeviceAddress[] }
  | { readonly kind: 'refused'; readonly problem: TrustProblem | null };

/** Seals content for all devices of the other person and one's own others, or says what that needs. Stages the ratchets. */
export async function sealContent(
  profile: Profile,
  batch: Batch,
  messageId: MessageId,
  content: MessageContent,
): Promise<SealedContent> {
  const peer = profile.peers.get(content.conversation);
  const problem = problemWith(profile, content.conversation);
  if (problem !== null) return { kind: 'refused', problem };
  if (peer === undefined) return { kind: 'need-lists', users: [content.conversation] };
  const recipients = recipientsOf(profile, peer.list);
  const devices = await sessionsToStart(profile, batch, recipients);
  if (devices.length > 0) return { kind: 'need-bundles', devices };
  try {
    const sender = selfOf(profile);
    const message = await sealMessage({ content, messageId, sender, recipients, store: batch.sessions });
    batch.sessions.stage(message.changes);
    const idempotencyId = IdempotencyId.parse(messageId);
    const params = { payload: message.payload, recipients: message.recipients, idempotencyId };
    return { kind: 'sealed', params };
  } catch (error) {
    if (!CryptoError.is(error)) throw error;
    return { kind: 'refused', problem: null };
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
  const sessions = await Promise.all(present.map((address) => profile.sessions.load(profile, addressKey(address))));
  return [...missing, ...present.filter((_, i) => sessions[i]?.renew === true)];
}
