import { active } from '../../../protocol/calls.ts';
import { register } from '../../ws/method.ts';
import { toWire } from './call-state.ts';
import type { CallsContext } from './calls-context.ts';

/** Calls going on that the account was asked into and has not declined; bounded, so that the answer fits a frame. */
export function registerActive({ registry }: CallsContext) {
  return register(active, {
    permission: 'device',
    limit: { requests: 120, seconds: 60, by: 'account' },
    handle: async (_params, { session }) => ({
      calls: registry.ofUser(session.userId).map(toWire),
    }),
  });
}
