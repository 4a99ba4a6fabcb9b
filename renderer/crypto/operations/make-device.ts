import { randomBytes } from '../../../crypto/bytes.ts';
import { generateDevice } from '../../../crypto/identity/device-keys.ts';
import type { GeneratedDevice } from '../../../crypto/identity/device-keys.ts';
import type { NewDevice } from '../../../protocol/devices.ts';
import { DeviceId } from '../../../protocol/ids.ts';
import type { Batch } from '../batch.ts';
import { sealSecret } from '../profile.ts';
import type { Profile } from '../profile.ts';
import type { PrekeyState } from './prekeys.ts';

/** Makes the keys of a device and adds their writing to the batch. Returns the public half. */
export async function makeDevice(profile: Profile, batch: Batch, name: string): Promise<NewDevice> {
  const deviceId = DeviceId.parse(1 + (new DataView(randomBytes(4).buffer).getUint32(0) % 0x7fffffff));
  const generated = await generateDevice({ deviceId, name: name.slice(0, 64), now: profile.now() });
  await writeDevice(profile, batch, generated);
  return generated.newDevice;
}

async function writeDevice(profile: Profile, batch: Batch, generated: GeneratedDevice): Promise<void> {
  const { sealer } = profile;
  const { secrets, signedPrekey, prekeys, nextPrekeyId } = generated;
  const state: PrekeyState = { nextPrekeyId, unpublished: null };
  const rows = [await sealSecret(profile, 'device', secrets), await sealSecret(profile, 'next-prekey', state)];
  const signedRow = {
    keyId: signedPrekey.keyId,
    sealed: await sealer.seal('signedPrekeys', signedPrekey.keyId, signedPrekey),
  };
  const prekeyRows = await Promise.all(
    prekeys.map(async (prekey) => ({
      keyId: prekey.keyId,
      sealed: await sealer.seal('prekeys', prekey.keyId, prekey),
    })),
  );
  batch.write(async (db) => {
    // Keys of a device that this one replaces serve nobody any more.
    await Promise.all([db.prekeys, db.signedPrekeys, db.sessions, db.identities].map((table) => table.clear()));
    await db.secrets.bulkPut(rows);
    await db.signedPrekeys.put(signedRow);
    await db.prekeys.bulkPut(prekeyRows);
  });
  batch.afterCommit(() => {
    profile.device = secrets;
    profile.sessions.clear();
  });
}
