import { join } from '../../../protocol/calls.ts';
import { register } from '../../ws/method.ts';
import type { CallsContext } from './calls-context.ts';

/** Accepts, joins late or comes back: the answer holds all that media needs. */
export function registerJoin({ registry }: CallsContext) {
  return register(join, {
    permission: 'device',
    limit: { requests: 60, seconds: 60, by: 'account' },
    replay: 'connection',
    handle: ({ callId, rtpCapabilities }, caller) => registry.join(callId, caller, rtpCapabilities),
  });
}
