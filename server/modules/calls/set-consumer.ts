import { setConsumer } from '../../../protocol/calls.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { register } from '../../ws/method.ts';
import type { CallsContext } from './calls-context.ts';

/** Starts or stops what the caller receives, and says which simulcast layer is enough. */
export function registerSetConsumer({ registry }: CallsContext) {
  return register(setConsumer, {
    permission: 'device',
    // Every change of the layout sets all of them.
    limit: { requests: 1200, seconds: 60, by: 'account' },
    handle: async ({ callId, consumerId, paused, preferredLayers }, caller) => {
      const { peer } = registry.ofMember(callId, caller.session.userId).seatOf(caller);
      const consumer = peer.consumer(consumerId);
      if (consumer === undefined) throw new ProtocolError('media_rejected', 'no such consumer');
      // The layers first, so that the first frame is already of the wanted one.
      if (preferredLayers !== undefined) await consumer.setPreferredLayers(preferredLayers);
      await consumer.setPaused(paused);
      return {};
    },
  });
}
