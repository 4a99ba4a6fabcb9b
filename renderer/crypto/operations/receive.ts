import { fromBase64 } from '../../../crypto/bytes.ts';
import { CryptoError } from '../../../crypto/crypto-error.ts';
import { openEnvelope } from '../../../crypto/envelopes/open-envelope.ts';
import { addressKey } from '../../../crypto/sessions/session-store.ts';
import type { Envelope } from '../../../protocol/chat.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { Message } from '../../modules/chat/model.ts';
import { Batch, isTaken } from '../batch.ts';
import { LIMITS } from '../limits.ts';
import type { Profile } from '../profile.ts';
import { isKnown } from '../strangers.ts';
import type { ReceiveOutcome } from '../vault.ts';
import { fileContent, fileUnreadable } from './file-content.ts';

/**
 * See `Vault.receive`. All envelopes that could be taken in are committed together: session states, messages, and the marks
 * by which a repetition is known.
 */
export async function receive(
  profile: Profile,
  input: { readonly envelopes: readonly Envelope[]; readonly listsChecked: readonly UserId[] },
): Promise<ReceiveOutcome> {
  const { info } = profile;
  // Before the hand-over nobody else's keys can be trusted: what others sent waits in the queue.
  const isDue = ({ sender }: Envelope) => info.phase === 'ready' || sender.userId === info.userId;
  const { listsChecked } = input;
  const envelopes = input.envelopes.filter(isDue);
  for (const { sender } of envelopes) profile.receiptsRest.delete(sender.userId);
  const [first] = envelopes;
  const usual = envelopes.length === 1 && first !== undefined ? await receiveNew(profile, first) : 'unusual';
  if (usual instanceof CryptoError) return receiveAll(profile, envelopes, listsChecked, usual);
  return usual === 'unusual' ? receiveAll(profile, envelopes, listsChecked, null) : usual;
}

/** @param known how the first of them was refused already: trying it again would cost the same again */
async function receiveAll(
  profile: Profile,
  envelopes: readonly Envelope[],
  listsChecked: readonly UserId[],
  known: CryptoError | null,
): Promise<ReceiveOutcome> {
  const batch = new Batch(profile);
  const stored = await batch.seen(
    envelopes.map(envelopeKey),
    envelopes.map(({ messageId }) => messageId),
  );
  const seenBefore = (envelope: Envelope) => batch.marked(envelopeKey(envelope)) ?? stored.get(envelopeKey(envelope));
  const acknowledge: number[] = [];
  const arrived: Message[] = [];
  const turn = new Turn();
  const held = new Set<UserId>();
  let dropped = 0;
  let needLists: readonly UserId[] | null = null;
  for (const [i, envelope] of envelopes.entries()) {
    if (turn.isOver) break;
    const seen = seenBefore(envelope);
    const place = seen?.readable === true ? 'seen' : await placeOf(profile, envelope, listsChecked);
    if (place === 'unlisted') {
      needLists = unlisted(profile, envelopes.slice(i), listsChecked);
      break;
    }
    if (place === 'later') {
      held.add(envelope.sender.userId);
      continue;
    }
    acknowledge.push(envelope.queueId);
    if (place === 'nobody') dropped += 1;
    if (place !== 'due') continue;
    const identityKey = listedIdentity(profile, envelope);
    const incoming = { envelope, identityKey, again: seen !== undefined, known: i === 0 ? known : null };
    const message = await receiveOne(profile, batch, turn, incoming);
    if (message !== null) arrived.push(message);
  }
  const { refused, costly } = turn;
  const others = { refused: [...refused], costly, held: [...held], dropped };
  return { acknowledge, arrived, needLists, ...others, changes: await batch.commit() };
}

/**
 * Whether it is to be opened, or entered as unreadable (`due`); whether its sender's list is to be asked for first
 * (`unlisted`), or it has to wait for that; or whether it is of nobody who is known.
 */
async function placeOf(
  profile: Profile,
  envelope: Envelope,
  listsChecked: readonly UserId[],
): Promise<'due' | 'unlisted' | 'later' | 'nobody'> {
  const { userId } = envelope.sender;
  if (listedIdentity(profile, envelope) !== null) return 'due';
  if (!listsChecked.includes(userId)) return mayLookUp(profile, envelope) ? 'unlisted' : 'later';
  if (await isKnown(profile, userId)) return 'due';
  return profile.lookUps.isEarly(userId) ? 'later' : 'nobody';
}

/** Whether a device list may be asked for because of this. */
function mayLookUp({ peers, lookUps, now }: Profile, { sender: { userId } }: Envelope): boolean {
  return peers.has(userId) || lookUps.take(userId, now());
}

/** Whose lists these lack, and may be asked for: all of them at once. */
function unlisted(profile: Profile, envelopes: readonly Envelope[], listsChecked: readonly UserId[]): UserId[] {
  const lacking = envelopes.filter(
    (envelope) =>
      listedIdentity(profile, envelope) === null &&
      !listsChecked.includes(envelope.sender.userId) &&
      mayLookUp(profile, envelope),
  );
  return [...new Set(lacking.map(({ sender }) => sender.userId))];
}

/** What one `receive` has cost so far. */
class Turn {
  readonly refused = new Set<string>();
  #refusals = 0;
  #keys = 0;
  #rows = 0;
  readonly #rowsOf = new Map<string, number>();

  get isOver(): boolean {
    return (
      this.#refusals >= LIMITS.refusalsInATurn.value ||
      this.#keys >= LIMITS.skippedKeysInATurn.value ||
      this.#rows >= LIMITS.rowsInATurn.value
    );
  }

  /** The device (`addressKey`) that has named more stored messages than others, once there were too many. */
  get costly(): readonly string[] {
    if (this.#rows < LIMITS.rowsInATurn.value) return [];
    return [...this.#rowsOf].sort(([, a], [, b]) => b - a).flatMap(([sender], i) => (i === 0 ? [sender] : []));
  }

  look(sender: string, rows: number): void {
    this.#rows += rows;
    this.#rowsOf.set(sender, (this.#rowsOf.get(sender) ?? 0) + rows);
  }

  spend(keys: number): void {
    this.#keys += keys;
  }

  refuse(sender: string): void {
    this.#refusals += 1;
    this.refused.add(sender);
  }
}

/**
 * The usual case: one envelope, and a new one. Whether it is new is not looked up; the commit fails if it is not, and
 * the answer is `unusual`, or how it was refused.
 */
async function receiveNew(profile: Profile, envelope: Envelope): Promise<ReceiveOutcome | CryptoError | 'unusual'> {
  const identityKey = listedIdentity(profile, envelope);
  if (identityKey === null) return 'unusual';
  const batch = new Batch(profile);
  const turn = new Turn();
  batch.expectNew(envelopeKey(envelope), envelope.messageId);
  try {
    const message = await openOne(profile, batch, turn, envelope, identityKey);
    const changes = await batch.commit();
    const arrived = message === null ? [] : [message];
    const others = { refused: [], costly: turn.costly, held: [], dropped: 0 };
    return { acknowledge: [envelope.queueId], arrived, needLists: null, ...others, changes };
  } catch (error) {
    if (CryptoError.is(error)) return error;
    if (isTaken(error)) return 'unusual';
    throw error;
  }
}

function envelopeKey({ sender, messageId }: Envelope): string {
  return `${addressKey(sender)}:${messageId}`;
}

/** The identity of the sending device, by its account's verified list; base64. */
function listedIdentity({ peers }: Profile, { sender }: Envelope): string | null {
  const devices = peers.get(sender.userId)?.list.devices ?? [];
  return devices.find(({ deviceId }) => deviceId === sender.deviceId)?.identityKey ?? null;
}

interface Incoming {
  readonly envelope: Envelope;
  /** Null if the sending device is on no verified list. */
  readonly identityKey: string | null;
  /** It came before, and could not be read. */
  readonly again: boolean;
  /** How it was refused a moment ago. */
  readonly known: CryptoError | null;
}

/** Takes one envelope into the batch. Returns the message if it is a new one of somebody else. */
async function receiveOne(profile: Profile, batch: Batch, turn: Turn, incoming: Incoming): Promise<Message | null> {
  const { envelope, identityKey, known } = incoming;
  try {
    if (known !== null) throw known;
    // Only devices on a verified list are believed.
    if (identityKey === null) throw new CryptoError('identity_changed', 'the device is not on its account’s list');
    return await openOne(profile, batch, turn, envelope, identityKey);
  } catch (error) {
    if (!CryptoError.is(error)) throw error;
    turn.refuse(addressKey(envelope.sender));
    return await refused(profile, batch, incoming, error);
  }
}

async function openOne(
  profile: Profile,
  batch: Batch,
  turn: Turn,
  envelope: Envelope,
  identityKey: string,
): Promise<Message | null> {
  const { content, changes } = await openWithin(profile, batch, turn, envelope, identityKey);
  batch.sessions.stage(changes);
  batch.markSeen(envelopeKey(envelope), true);
  const before = batch.looked;
  const message = await fileContent(profile, batch, envelope, content);
  turn.look(addressKey(envelope.sender), batch.looked - before);
  return message;
}

/** Opens it with what its sending device may cost, and counts what it did cost. */
async function openWithin(profile: Profile, batch: Batch, turn: Turn, envelope: Envelope, identityKey: string) {
  const { skips, now } = profile;
  const sender = addressKey(envelope.sender);
  const budget = skips.budgetOf(sender, now());
  try {
    return await openEnvelope(envelope, batch.sessions, fromBase64(identityKey), budget);
  } finally {
    skips.charge(sender, budget, now());
    turn.spend(budget.spent);
  }
}

async function refused(
  profile: Profile,
  batch: Batch,
  { envelope, again }: Incoming,
  error: CryptoError,
): Promise<Message | null> {
  // The very ciphertext was read before, so nothing is lost.
  if (error.code === 'replayed' || again) return null;
  batch.markSeen(envelopeKey(envelope), false);
  batch.setRenew(addressKey(envelope.sender), true);
  return fileUnreadable(profile, batch, envelope);
}
