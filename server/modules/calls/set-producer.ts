import { setProducer } from '../../../protocol/calls.ts';
import { register } from '../../ws/method.ts';
import type { CallsContext } from './calls-context.ts';

/** Mutes, unmutes or ends what the caller sends. */
export function registerSetProducer({ registry }: CallsContext) {
  return register(setProducer, {
    permission: 'device',
    // Every change is told to everybody ever asked into the call.
    limit: { requests: 120, seconds: 60, by: 'account' },
    handle: async ({ callId, producerId, state }, caller) => {
      await registry.ofMember(callId, caller.session.userId).setProducer(caller, producerId, state);
      return {};
    },
  });
}
