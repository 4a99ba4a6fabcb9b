import { fromBase64 } from '../../../crypto/bytes.ts';
import { importAccountKey } from '../../../crypto/identity/account-key.ts';
import type { AccountKey } from '../../../crypto/identity/account-key.ts';
import { readSecret } from '../profile.ts';
import type { Profile } from '../profile.ts';

/** The account key as it is stored: base64 of the raw public and the PKCS #8 private half. */
export interface StoredAccountKey {
  readonly publicKey: string;
  readonly privateKey: string;
}

/** The key that signs for the account; null on a device that does not hold it. */
export async function loadAccountKey(profile: Profile): Promise<AccountKey | null> {
  const stored = await readSecret<StoredAccountKey>(profile, 'account');
  return stored && importAccountKey(fromBase64(stored.privateKey), fromBase64(stored.publicKey));
}

export async function holdsAccountKey({ db }: Profile): Promise<boolean> {
  return (await db.secrets.get('account')) !== undefined;
}
