import { leave } from '../../../protocol/calls.ts';
import { register } from '../../ws/method.ts';
import type { CallsContext } from './calls-context.ts';

/** Takes the caller's device out of the call and frees its media. */
export function registerLeave({ registry }: CallsContext) {
  return register(leave, {
    permission: 'device',
    limit: { requests: 60, seconds: 60, by: 'account' },
    handle: async ({ callId }, caller) => {
      await registry.ofMember(callId, caller.session.userId).leave(caller);
      return {};
    },
  });
}
