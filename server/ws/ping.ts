import { ping } from '../../protocol/ping.ts';
import { register } from './method.ts';

/** Answers `ping`. A client asks when it has heard nothing for ten seconds, or when its machine wakes up. */
export const pingMethod = register(ping, {
  permission: 'anyone',
  // One client asks six times a minute at rest; an account has at most 16 devices.
  limit: { requests: 600, seconds: 60, by: 'account' },
  handle: async () => ({}),
});
