import { restartIce } from '../../../protocol/calls.ts';
import { register } from '../../ws/method.ts';
import type { CallsContext } from './calls-context.ts';

/** New ICE credentials for a transport, after the client's network changed. */
export function registerRestartIce({ registry }: CallsContext) {
  return register(restartIce, {
    permission: 'device',
    limit: { requests: 60, seconds: 60, by: 'account' },
    replay: 'connection',
    handle: async ({ callId, transportId }, caller) => {
      const { peer } = registry.ofMember(callId, caller.session.userId).seatOf(caller);
      return { iceParameters: await peer.restartIce(transportId) };
    },
  });
}
