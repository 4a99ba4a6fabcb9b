import {
  generatePrekeys,
  generateSignedPrekey,
  nextPrekeyId as idAfter,
  publicPrekey,
  publicSignedPrekey,
} from '../../../crypto/identity/device-keys.ts';
import type { StoredPrekey, StoredSignedPrekey } from '../../../crypto/identity/device-keys.ts';
import { LIMITS } from '../../../crypto/identity/limits.ts';
import { prekeyDuties } from '../../../crypto/identity/prekey-duties.ts';
import { Batch } from '../batch.ts';
import { deviceOf, readSecret, sealSecret } from '../profile.ts';
import type { Profile } from '../profile.ts';
import type { PrekeyPublication } from '../vault.ts';
import { newIdempotencyId } from './sign-up.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/**
 * A publication without an answer is repeated as it is for so long. The server knows a repeat for seven days; after that
 * it would put prekeys up again that were given out. Milliseconds.
 */
const REPEAT_MS = 6 * DAY_MS;

export interface PrekeyState {
  readonly nextPrekeyId: number;
  /** A signed prekey that was made, but not confirmed to be published; it is published until it is. */
  readonly unpublished: number | null;
  /** What was made and not confirmed to be published. Absent in what earlier versions stored, as is `made`. */
  readonly offered?: { readonly publication: PrekeyPublication; readonly at: number } | null;
  /** Keys made since a time, for the bound on them. */
  readonly made?: { readonly since: number; readonly count: number };
}

/** See `Vault.prekeysToPublish`. */
export async function prekeysToPublish(profile: Profile, remaining: number): Promise<PrekeyPublication | null> {
  const state = await readSecret<PrekeyState>(profile, 'next-prekey');
  if (state === null) return null;
  const now = profile.now();
  const kept = await signedPrekeys(profile);
  const duties = prekeyDuties({ now, signedPrekeys: kept, remaining });
  if (duties.forget.length > 0) await profile.db.signedPrekeys.bulkDelete([...duties.forget]);
  if (state.offered && within(state.offered.at, now, REPEAT_MS)) return state.offered.publication;
  const made = within(state.made?.since, now, DAY_MS) && state.made ? state.made : { since: now, count: 0 };
  const allowed = Math.max(0, LIMITS.prekeysMadePerDay.value - made.count);
  const rotate = duties.rotate && allowed > 0;
  const topUp = Math.min(duties.topUp, rotate ? allowed - 1 : allowed);
  const signedKept = kept.find(({ keyId }) => keyId === state.unpublished);
  if (!rotate && topUp === 0 && signedKept === undefined) return null;

  const batch = new Batch(profile);
  const signed = rotate ? await makeSignedPrekey(profile, batch, kept) : signedKept;
  const { prekeys, nextPrekeyId } = await generatePrekeys(state.nextPrekeyId, topUp);
  await writePrekeys(profile, batch, prekeys);
  await expirePrekeys(profile, batch, { made: prekeys.length, remaining });
  const publication = publicationOf(prekeys, signed);
  await writeState(profile, batch, {
    nextPrekeyId,
    unpublished: signed?.keyId ?? null,
    offered: { publication, at: now },
    made: { ...made, count: made.count + prekeys.length + (rotate ? 1 : 0) },
  });
  await batch.commit();
  return publication;
}

/** Whether a time lies in the past, by less than so much. */
function within(at: number | undefined, now: number, ms: number): boolean {
  return at !== undefined && at <= now && now - at < ms;
}

function publicationOf(prekeys: readonly StoredPrekey[], signed: StoredSignedPrekey | undefined): PrekeyPublication {
  return {
    idempotencyId: newIdempotencyId(),
    prekeys: prekeys.map(publicPrekey),
    ...(signed === undefined ? {} : { signedPrekey: publicSignedPrekey(signed) }),
  };
}

/** See `Vault.prekeysPublished`. */
export async function prekeysPublished(profile: Profile, publication: PrekeyPublication): Promise<void> {
  const state = await readSecret<PrekeyState>(profile, 'next-prekey');
  if (state === null) return;
  const batch = new Batch(profile);
  await writeState(profile, batch, settled(state, publication));
  await batch.commit();
}

/** See `Vault.prekeysRefused`. */
export async function prekeysRefused(profile: Profile, publication: PrekeyPublication): Promise<void> {
  const state = await readSecret<PrekeyState>(profile, 'next-prekey');
  if (state?.offered?.publication.idempotencyId !== publication.idempotencyId) return;
  const batch = new Batch(profile);
  batch.write((db) => db.prekeys.bulkDelete(publication.prekeys.map(({ keyId }) => keyId)));
  // The signed prekey is offered again, with others.
  await writeState(profile, batch, { ...state, offered: null });
  await batch.commit();
}

function settled(state: PrekeyState, publication: PrekeyPublication): PrekeyState {
  const offered = state.offered?.publication.idempotencyId === publication.idempotencyId ? null : state.offered;
  const unpublished = state.unpublished === publication.signedPrekey?.keyId ? null : state.unpublished;
  return { ...state, unpublished, ...(offered === undefined ? {} : { offered }) };
}

async function writeState(profile: Profile, batch: Batch, state: PrekeyState): Promise<void> {
  const row = await sealSecret(profile, 'next-prekey', state);
  batch.write((db) => db.secrets.put(row));
}

async function signedPrekeys({ db, sealer }: Profile): Promise<StoredSignedPrekey[]> {
  const rows = await db.signedPrekeys.toArray();
  const opened = rows.map(({ keyId, sealed }) => sealer.openIntact<StoredSignedPrekey>('signedPrekeys', keyId, sealed));
  return (await Promise.all(opened)).filter((prekey) => prekey !== null);
}

async function makeSignedPrekey(
  profile: Profile,
  batch: Batch,
  kept: readonly StoredSignedPrekey[],
): Promise<StoredSignedPrekey> {
  const newest = kept.toSorted((a, b) => b.createdAt - a.createdAt)[0];
  const keyId = idAfter(newest?.keyId ?? 0);
  const signed = await generateSignedPrekey(deviceOf(profile), keyId, profile.now());
  const sealed = await profile.sealer.seal('signedPrekeys', keyId, signed);
  batch.write((db) => db.signedPrekeys.put({ keyId, sealed }));
  return signed;
}

async function writePrekeys({ sealer, now }: Profile, batch: Batch, prekeys: readonly StoredPrekey[]): Promise<void> {
  const madeAt = now();
  const rows = await Promise.all(
    prekeys.map(async (prekey) => ({
      keyId: prekey.keyId,
      sealed: await sealer.seal('prekeys', prekey.keyId, prekey),
      madeAt,
    })),
  );
  batch.write((db) => db.prekeys.bulkPut(rows));
}

/**
 * Forgets prekeys that nobody can be given any more: the server gives the oldest first, so that those it still has are the
 * newest; older ones were given out, and serve only for a first message that is under way.
 */
async function expirePrekeys(
  { db, now }: Profile,
  batch: Batch,
  { made, remaining }: { readonly made: number; readonly remaining: number },
): Promise<void> {
  const oldestFirst = await db.prekeys.orderBy('madeAt').primaryKeys();
  const old = await db.prekeys
    .where('madeAt')
    .below(now() - LIMITS.prekeyAge.value)
    .count();
  const tooOld = Math.min(old, oldestFirst.length - remaining);
  const tooMany = oldestFirst.length + made - LIMITS.prekeysKept.value;
  const expired = oldestFirst.slice(0, Math.max(0, tooOld, tooMany));
  if (expired.length > 0) batch.write((database) => database.prekeys.bulkDelete(expired));
}
