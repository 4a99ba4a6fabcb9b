import { randomBytes } from '../../../crypto/bytes.ts';
import { generateDevice } from '../../../crypto/identity/device-keys.ts';
import type { GeneratedDevice } from '../../../crypto/identity/device-keys.ts';
import type { NewDevice } from '../../../protocol/devices.ts';
import { DeviceId } from '../../../protocol/ids.ts';
import type { Batch } from '../batch.ts';
import { sealSecret } from '../profile.ts';
import type { Profile } from '../profile.ts';
import type { PrekeyState } from './prekeys.ts';

const FALLBACK_NAME = 'Device';

/** Makes the keys of a device and adds their writing to the batch. Returns the public half. */
export async function makeDevice(profile: Profile, batch: Batch, name: string): Promise<NewDevice> {
  const generated = await newDevice(profile, name);
  await writeDevice(profile, batch, generated);
  return generated.newDevice;
}

/** Makes the keys of a device, and writes nothing. */
export function newDevice(profile: Profile, name: string): Promise<GeneratedDevice> {
  const deviceId = DeviceId.parse(1 + (new DataView(randomBytes(4).buffer).getUint32(0) % 0x7fffffff));
  return generateDevice({ deviceId, name: deviceName(name), now: profile.now() });
}

/** A computer's name may hold anything; the server takes no characters that cannot be seen. */
function deviceName(name: string): string {
  const shown = name.replace(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu, '').slice(0, 64);
  // The cut may have parted a pair of surrogates.
  return shown.replace(/\p{Cs}/gu, '').trim() || FALLBACK_NAME;
}

/** Makes these the keys of this device. Those of a device that it replaces serve nobody any more, and go. */
export async function writeDevice(profile: Profile, batch: Batch, generated: GeneratedDevice): Promise<void> {
  const { sealer } = profile;
  const { secrets, signedPrekey, prekeys, nextPrekeyId } = generated;
  const state: PrekeyState = { nextPrekeyId, unpublished: null };
  const rows = [await sealSecret(profile, 'device', secrets), await sealSecret(profile, 'next-prekey', state)];
  const signedRow = {
    keyId: signedPrekey.keyId,
    sealed: await sealer.seal('signedPrekeys', signedPrekey.keyId, signedPrekey),
  };
  const madeAt = profile.now();
  const prekeyRows = await Promise.all(
    prekeys.map(async (prekey) => ({
      keyId: prekey.keyId,
      sealed: await sealer.seal('prekeys', prekey.keyId, prekey),
      madeAt,
    })),
  );
  batch.write(async (db) => {
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
