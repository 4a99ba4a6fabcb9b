import { connectTransport } from '../../../protocol/calls.ts';
import { register } from '../../ws/method.ts';
import type { CallsContext } from './calls-context.ts';

/** Gives the client's DTLS fingerprints to one of its two transports. */
export function registerConnectTransport({ registry }: CallsContext) {
  return register(connectTransport, {
    permission: 'device',
    limit: { requests: 120, seconds: 60, by: 'account' },
    handle: async ({ callId, transportId, dtlsParameters }, caller) => {
      const { peer } = registry.ofMember(callId, caller.session.userId).seatOf(caller);
      await peer.connectTransport(transportId, dtlsParameters);
      return {};
    },
  });
}
