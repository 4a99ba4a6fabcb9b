import { decline } from '../../../protocol/calls.ts';
import { register } from '../../ws/method.ts';
import type { CallsContext } from './calls-context.ts';

/** Stops the ringing on all devices of the account. Without effect on a call that does not ring any more. */
export function registerDecline({ registry }: CallsContext) {
  return register(decline, {
    permission: 'device',
    limit: { requests: 60, seconds: 60, by: 'account' },
    handle: async ({ callId, reason }, { session }) => {
      await registry.ofMember(callId, session.userId).decline(session.userId, reason);
      return {};
    },
  });
}
