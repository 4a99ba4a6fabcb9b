import { produce } from '../../../protocol/calls.ts';
import { register } from '../../ws/method.ts';
import type { CallsContext } from './calls-context.ts';

/** Begins to send a source; everybody else in the call gets a paused consumer of it. */
export function registerProduce({ registry }: CallsContext) {
  return register(produce, {
    permission: 'device',
    limit: { requests: 60, seconds: 60, by: 'account' },
    replay: 'connection',
    handle: async ({ callId, source, kind, rtpParameters, paused }, caller) => {
      const call = registry.ofMember(callId, caller.session.userId);
      return { producerId: await call.produce(caller, { source, kind, rtpParameters, paused }) };
    },
  });
}
