import { signSignInProof } from '../../../crypto/identity/device-keys.ts';
import type { Account } from '../../../protocol/accounts.ts';
import type { DeviceId } from '../../../protocol/ids.ts';
import { deviceOf } from '../profile.ts';
import type { Profile } from '../profile.ts';
import type { Profiles } from '../profiles.ts';
import type { Standing } from '../vault.ts';
import { standingOf } from './standing.ts';

/** See `Vault.signInProof`. A device that waits to be linked cannot prove anything yet. */
export async function signInProof(
  profiles: Profiles,
  { username, challenge }: { readonly username: string; readonly challenge: string },
): Promise<{ readonly deviceId: DeviceId; readonly proof: string } | null> {
  const profile = await profiles.openWhere((info) => info.username === username && info.phase !== 'linking');
  if (profile === null || profile.device === null) return null;
  const device = deviceOf(profile);
  return { deviceId: device.deviceId, proof: await signSignInProof(device, profiles.origin, challenge, username) };
}

/** The server confirmed the open account. */
export async function signedIn(
  profiles: Profiles,
  profile: Profile,
  { account, session }: { readonly account: Account; readonly session: string },
): Promise<Standing> {
  const { userId, username } = profile.info;
  // Under another name the keys here would not be found when the person signs in the next time.
  if (account.userId !== userId || account.username !== username) {
    throw new Error('the server answered for another account');
  }
  // A device that still waits for what another one hands over goes on waiting.
  const phase = profile.info.phase === 'receiving' ? 'receiving' : 'ready';
  await profiles.update(profile, { account, session, phase, chosenAt: profile.now() });
  await profile.db.secrets.delete('sign-up');
  return standingOf(profile);
}

export async function signedOut(profiles: Profiles, profile: Profile): Promise<void> {
  await profiles.update(profile, { session: null });
}
