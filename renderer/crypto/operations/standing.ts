import type { Profile } from '../profile.ts';
import type { Standing } from '../vault.ts';

/** What the account that is open, if any, amounts to. */
export function standingOf(profile: Profile | null): Standing {
  if (profile === null || profile.device === null) return { kind: 'empty' };
  const { phase, account, session } = profile.info;
  if (account === null || phase === 'signing-up') return { kind: 'empty' };
  if (phase === 'ready') return { kind: 'ready', account, deviceId: profile.device.deviceId, session };
  return session === null ? { kind: 'empty' } : { kind: 'linking', account, session };
}
