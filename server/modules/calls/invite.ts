import { invite } from '../../../protocol/calls.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { register } from '../../ws/method.ts';
import type { CallsContext } from './calls-context.ts';

/** Rings more people into a call that the caller is in. */
export function registerInvite({ registry, usersExist }: CallsContext) {
  return register(invite, {
    permission: 'device',
    limit: { requests: 30, seconds: 60, by: 'account' },
    replay: 'connection',
    handle: async ({ callId, users }, caller) => {
      const call = registry.ofMember(callId, caller.session.userId);
      if (!(await usersExist(users))) throw new ProtocolError('user_unknown', 'one of these accounts is not known');
      return { call: await call.invite(caller, users) };
    },
  });
}
