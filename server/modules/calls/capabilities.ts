import { capabilities } from '../../../protocol/calls.ts';
import { register } from '../../ws/method.ts';
import type { CallsContext } from './calls-context.ts';

/** What this server's rooms can receive and send. */
export function registerCapabilities({ sfu }: CallsContext) {
  return register(capabilities, {
    permission: 'device',
    limit: { requests: 60, seconds: 60, by: 'account' },
    handle: async () => ({ routerRtpCapabilities: sfu.rtpCapabilities }),
  });
}
