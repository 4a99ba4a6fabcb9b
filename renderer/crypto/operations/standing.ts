import type { Profile } from '../profile.ts';
import type { Standing } from '../vault.ts';

/** What the account that is open, if any, amounts to. */
export function standingOf(profile: Profile | null): Standing {
  if (profile === null) return { kind: 'empty' };
  const { device, info } = profile;
  const { phase, account, session } = info;
  if (account === null || phase === 'signing-up') return { kind: 'empty' };
  if (phase !== 'ready') {
    const awaits = phase === 'receiving' ? 'hand-over' : 'approval';
    return session === null ? { kind: 'empty' } : { kind: 'linking', account, session, awaits };
  }
  return device === null ? { kind: 'empty' } : { kind: 'ready', account, deviceId: device.deviceId, session };
}
