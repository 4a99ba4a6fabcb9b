import { start } from '../../../protocol/calls.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { register } from '../../ws/method.ts';
import { startCall, toWire } from './call-state.ts';
import type { CallsContext } from './calls-context.ts';

/** Starts a call and rings the others. The call id makes a repeat harmless: it finds the call. */
export function registerStart({ registry, clock, newId, usersExist }: CallsContext) {
  return register(start, {
    permission: 'device',
    limit: { requests: 20, seconds: 60, by: 'account' },
    replay: 'own',
    handle: async ({ callId, media, invite }, { session }) => {
      const known = await usersExist(invite);
      // Looked up after the wait, so that a repeat which overtook this one is found.
      const existing = registry.find(callId);
      if (existing !== undefined) {
        if (existing.state.startedBy !== session.userId) throw taken();
        return { call: toWire(existing.state) };
      }
      if (!known) throw new ProtocolError('user_unknown', 'one of these accounts is not known');
      const starter = { userId: session.userId, deviceId: session.deviceId };
      const options = { callId, media, starter, invited: invite, now: clock.now(), startedAt: clock.epoch() };
      // Whether this can be a call at all is asked first: what is refused for that has not rung anybody.
      startCall(options, newId);
      registry.rules.admitStart(session.userId, options.now);
      const others = invite.filter((userId) => userId !== session.userId);
      const busy = registry.rules.admitRings(session.userId, others, options.now);
      const first = startCall({ ...options, busy }, newId);
      return { call: toWire(registry.add(first).state) };
    },
  });
}

function taken(): ProtocolError {
  return new ProtocolError('invalid_request', 'another call has this id', {
    issues: [{ path: 'callId', problem: 'is taken' }],
  });
}
