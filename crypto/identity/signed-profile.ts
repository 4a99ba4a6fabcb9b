import { Profile, profileText, SignedProfile } from '../../protocol/profile.ts';
import type { UserId } from '../../protocol/ids.ts';
import { constantTimeEqual, fromBase64, toBase64, utf8 } from '../bytes.ts';
import type { Bytes } from '../bytes.ts';
import { CryptoError } from '../crypto-error.ts';
import { verifyEd25519 } from './account-key.ts';
import type { AccountKey } from './account-key.ts';

/** Signs what an account is called with its account key, over the very text that is sent. Throws `malformed`. */
export async function signProfile(accountKey: AccountKey, profile: Profile): Promise<SignedProfile> {
  const parsed = Profile.safeParse(profile);
  if (!parsed.success) throw malformed();
  const payload = JSON.stringify(parsed.data);
  const signature = await crypto.subtle.sign('Ed25519', accountKey.privateKey, utf8(profileText(payload)));
  return { accountKey: toBase64(accountKey.publicKey), payload, signature: toBase64(new Uint8Array(signature)) };
}

/**
 * Verifies a profile that came from the server. Without a pinned key it only shows that the key it names has signed it;
 * the caller pins that key. Which version is acceptable is the caller's to know.
 * Throws `malformed`, `account_key_changed`, `key_weak`, `signature_invalid`, `profile_wrong_user`.
 */
export async function verifyProfile(
  signed: SignedProfile,
  { userId, pinnedAccountKey }: { readonly userId: UserId; readonly pinnedAccountKey: Bytes | null },
): Promise<Profile> {
  const parsed = SignedProfile.safeParse(signed);
  if (!parsed.success) throw malformed();
  const { accountKey, payload, signature } = parsed.data;
  const publicKey = fromBase64(accountKey);
  if (pinnedAccountKey !== null && !constantTimeEqual(pinnedAccountKey, publicKey)) {
    throw new CryptoError('account_key_changed', 'the profile is signed by another account key');
  }
  await verifyEd25519(publicKey, fromBase64(signature), utf8(profileText(payload)));
  const profile = parseProfile(payload);
  if (profile.userId !== userId) throw new CryptoError('profile_wrong_user', 'the profile is of another account');
  return profile;
}

function parseProfile(payload: string): Profile {
  try {
    return Profile.parse(JSON.parse(payload));
  } catch {
    throw malformed();
  }
}

function malformed(): CryptoError {
  return new CryptoError('malformed', 'the profile does not have the form it must have');
}
