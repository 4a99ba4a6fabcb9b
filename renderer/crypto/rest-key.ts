import { generateRecordKey, importRecordKey } from '../../crypto/at-rest.ts';
import { randomBytes } from '../../crypto/bytes.ts';
import type { RegistryDatabase, RestKeyRow, StorageOptions } from '../db/registry.ts';
import type { SecretStore } from '../host/host.ts';
import { resealEverything } from './reseal.ts';

/**
 * The key that seals everything this device stores; made at the first start. With the shell's secret store it is sealed
 * by the operating system; without one it is a CryptoKey that code of this origin can use but not read. Such a key is
 * replaced as soon as there is a secret store: it cannot be read, so everything is sealed again under a new one.
 * Rejects if the secret store cannot open what it sealed: another user's profile, or a lost keychain.
 */
export async function loadRestKey(
  registry: RegistryDatabase,
  secrets: SecretStore | null,
  storage: StorageOptions,
): Promise<CryptoKey> {
  const row = await registry.keys.get('rest-key');
  if (row?.kind === 'sealed') return openSealed(row, secrets);
  if (row?.kind === 'crypto-key') {
    if (secrets !== null) return replaceKey(registry, secrets, storage, row.key);
    // A replacement that was not finished: part of what is stored needs the new key.
    if ((await registry.keys.get('next-rest-key')) !== undefined) throw noSecretStore();
    return row.key;
  }
  if (secrets === null) {
    const key = await generateRecordKey();
    await registry.keys.add({ id: 'rest-key', kind: 'crypto-key', key });
    return key;
  }
  const { sealed, key } = await newSealed(secrets);
  await registry.keys.add({ id: 'rest-key', kind: 'sealed', sealed });
  return key;
}

/** The new key is stored before anything is sealed under it, and the old one is deleted when nothing needs it any more. */
async function replaceKey(
  registry: RegistryDatabase,
  secrets: SecretStore,
  storage: StorageOptions,
  old: CryptoKey,
): Promise<CryptoKey> {
  const begun = await registry.keys.get('next-rest-key');
  const next =
    begun?.kind === 'sealed'
      ? { sealed: begun.sealed, key: await openSealed(begun, secrets) }
      : await newSealed(secrets);
  const { sealed, key } = next;
  await registry.keys.put({ id: 'next-rest-key', kind: 'sealed', sealed });
  await resealEverything(registry, storage, { old, next: key });
  await registry.transaction('rw', registry.keys, async () => {
    await registry.keys.put({ id: 'rest-key', kind: 'sealed', sealed });
    await registry.keys.delete('next-rest-key');
  });
  return key;
}

async function newSealed(secrets: SecretStore) {
  const secret = randomBytes(32);
  return { sealed: await secrets.seal(secret), key: await importRecordKey(secret) };
}

async function openSealed(row: RestKeyRow & { readonly kind: 'sealed' }, secrets: SecretStore | null) {
  if (secrets === null) throw noSecretStore();
  return importRecordKey(await secrets.open(row.sealed));
}

function noSecretStore(): Error {
  return new Error('the key at rest is sealed by a secret store that is not there');
}
