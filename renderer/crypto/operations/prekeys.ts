import {
  generatePrekeys,
  generateSignedPrekey,
  nextPrekeyId as idAfter,
  publicPrekey,
  publicSignedPrekey,
} from '../../../crypto/identity/device-keys.ts';
import type { StoredPrekey, StoredSignedPrekey } from '../../../crypto/identity/device-keys.ts';
import { prekeyDuties } from '../../../crypto/identity/prekey-duties.ts';
import { Batch } from '../batch.ts';
import { deviceOf, readSecret, sealSecret } from '../profile.ts';
import type { Profile } from '../profile.ts';
import type { PrekeyPublication } from '../vault.ts';
import { newIdempotencyId } from './sign-up.ts';

export interface PrekeyState {
  readonly nextPrekeyId: number;
  /** A signed prekey that was made, but not confirmed to be published; it is published until it is. */
  readonly unpublished: number | null;
}

/** See `Vault.prekeysToPublish`. */
export async function prekeysToPublish(profile: Profile, remaining: number): Promise<PrekeyPublication | null> {
  const state = await readSecret<PrekeyState>(profile, 'next-prekey');
  if (state === null) return null;
  const kept = await signedPrekeys(profile);
  const duties = prekeyDuties({ now: profile.now(), signedPrekeys: kept, remaining });
  const batch = new Batch(profile);
  batch.write((db) => db.signedPrekeys.bulkDelete([...duties.forget]));
  const signed = duties.rotate
    ? await makeSignedPrekey(profile, batch, kept)
    : kept.find(({ keyId }) => keyId === state.unpublished);
  const { prekeys, nextPrekeyId } = await generatePrekeys(state.nextPrekeyId, duties.topUp);
  await writePrekeys(profile, batch, prekeys);
  const row = await sealSecret(profile, 'next-prekey', { nextPrekeyId, unpublished: signed?.keyId ?? null });
  batch.write((db) => db.secrets.put(row));
  await batch.commit();
  if (signed === undefined && prekeys.length === 0) return null;
  return {
    idempotencyId: newIdempotencyId(),
    prekeys: prekeys.map(publicPrekey),
    ...(signed === undefined ? {} : { signedPrekey: publicSignedPrekey(signed) }),
  };
}

/** See `Vault.prekeysPublished`. */
export async function prekeysPublished(profile: Profile, publication: PrekeyPublication): Promise<void> {
  const state = await readSecret<PrekeyState>(profile, 'next-prekey');
  if (state === null || state.unpublished !== publication.signedPrekey?.keyId) return;
  await profile.db.secrets.put(await sealSecret(profile, 'next-prekey', { ...state, unpublished: null }));
}

async function signedPrekeys({ db, sealer }: Profile): Promise<StoredSignedPrekey[]> {
  const rows = await db.signedPrekeys.toArray();
  return Promise.all(rows.map(({ keyId, sealed }) => sealer.open<StoredSignedPrekey>('signedPrekeys', keyId, sealed)));
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

async function writePrekeys({ sealer }: Profile, batch: Batch, prekeys: readonly StoredPrekey[]): Promise<void> {
  const rows = await Promise.all(
    prekeys.map(async (prekey) => ({
      keyId: prekey.keyId,
      sealed: await sealer.seal('prekeys', prekey.keyId, prekey),
    })),
  );
  batch.write((db) => db.prekeys.bulkPut(rows));
}
