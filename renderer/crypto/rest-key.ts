import { generateRecordKey, importRecordKey } from '../../crypto/at-rest.ts';
import { randomBytes } from '../../crypto/bytes.ts';
import type { RegistryDatabase } from '../db/registry.ts';
import type { SecretStore } from '../host/host.ts';

/**
 * The key that seals everything this device stores; made at the first start. With the shell's secret store it is sealed
 * by the operating system; without one it is a CryptoKey that code of this origin can use but not read.
 * Rejects if the secret store cannot open what it sealed: another user's profile, or a lost keychain.
 */
export async function loadRestKey(registry: RegistryDatabase, secrets: SecretStore | null): Promise<CryptoKey> {
  const row = await registry.keys.get('rest-key');
  if (row?.kind === 'crypto-key') return row.key;
  if (row?.kind === 'sealed') {
    if (secrets === null) throw new Error('the key at rest is sealed by a secret store that is not there');
    return importRecordKey(await secrets.open(row.sealed));
  }
  if (secrets === null) {
    const key = await generateRecordKey();
    await registry.keys.add({ id: 'rest-key', kind: 'crypto-key', key });
    return key;
  }
  const secret = randomBytes(32);
  await registry.keys.add({ id: 'rest-key', kind: 'sealed', sealed: await secrets.seal(secret) });
  return importRecordKey(secret);
}
