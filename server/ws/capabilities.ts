import { Role } from '../../protocol/accounts.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Caller, Permission, RegisteredMethod } from './method.ts';

/**
 * What a method is for, so that a role can be given it or not:
 * - `session`: to be signed in, and to see and end one's own sessions;
 * - `organisation`: to see the people of the organisation, write to them and call them;
 * - `administration`: to decide who they are.
 */
export type Capability = 'session' | 'organisation' | 'administration';

/** A guest has an account and nothing else, until something is built that is for guests. */
const CAPABILITIES: Readonly<Record<Role, ReadonlySet<Capability>>> = {
  admin: new Set(['session', 'organisation', 'administration']),
  member: new Set(['session', 'organisation']),
  guest: new Set(['session']),
};

export function roleMay(role: Role, capability: Capability): boolean {
  return CAPABILITIES[role].has(capability);
}

/** The roles that have a capability, for a query that leaves the others out. */
export function rolesWith(capability: Capability): readonly Role[] {
  return Role.options.filter((role) => roleMay(role, capability));
}

/** What a method is for that does not say so itself: nothing is a guest's by default. */
function capabilityOf({ capability, permission }: RegisteredMethod): Capability {
  return capability ?? (permission === 'admin' ? 'administration' : 'organisation');
}

const ADMINS_ONLY = 'Only administrators may do this.';

/** Throws `not_signed_in`, `device_required` or `forbidden`. */
export function checkPermission(method: RegisteredMethod, caller: Caller): void {
  const permission: Permission = method.permission;
  if (permission === 'anyone') return;
  const { session } = caller;
  if (!session) throw new ProtocolError('not_signed_in', 'Sign in first.');
  if (permission !== 'account' && session.deviceId === null)
    throw new ProtocolError('device_required', 'Only a linked device may do this.');
  if (permission === 'admin' && session.role !== 'admin') throw new ProtocolError('forbidden', ADMINS_ONLY);
  if (!roleMay(session.role, capabilityOf(method)))
    throw new ProtocolError('forbidden', 'The role of this account does not allow this.');
}
