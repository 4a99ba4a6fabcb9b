import {
  checkInvitation,
  createInvitations as createInvitationsMethod,
  revokeSession,
  sessions as sessionsMethod,
  signOut,
} from '../../../protocol/accounts.ts';
import { findAnswer, keepAnswer, type RequestKey } from '../../store/once.ts';
import { register } from '../../ws/method.ts';
import type { ServerModule } from '../../ws/module.ts';
import { requestScopeOf, scopeOf } from '../../ws/replay.ts';
import { administrationMethods } from './administration.ts';
import { changePasswordMethod } from './change-password.ts';
import type { AccountsDeps } from './deps.ts';
import { createInvitations, renewInvitations, requireInvitation } from './invitations.ts';
import { checkResetMethod, completeResetMethod } from './password-resets.ts';
import { deleteSession, expiryOf } from './sessions.ts';
import { signInMethod } from './sign-in.ts';
import { signUpMethod } from './sign-up.ts';
import { requireStanding } from './standing.ts';
import { startUpkeep } from './upkeep.ts';

export type { AccountsDeps } from './deps.ts';
export { firstInvitation } from './first-invitation.ts';
export { createInvitations, invitationLink, pruneInvitations } from './invitations.ts';
export { findPeople } from './administration.ts';
export { requireFreeName } from './names.ts';
export { createReset, resetLink } from './password-resets.ts';
export { changeStatus, requireStanding } from './standing.ts';
export { ownOrigins } from './own-origins.ts';
export { PasswordHasher } from './passwords.ts';
export { bindSession, deleteDeviceSessions, sessionAuthenticator } from './sessions.ts';
export { SignInLimits } from './sign-in-limits.ts';
export { noteAct } from './acts.ts';
export { usersExist } from './store.ts';

/** Accounts, invitations and sessions. */
export function accountsModule(deps: AccountsDeps): ServerModule {
  return {
    methods: [
      checkInvitationMethod(deps),
      signUpMethod(deps),
      signInMethod(deps),
      signOutMethod(deps),
      listSessions(deps),
      revokeSessionHandler(deps),
      inviteMethod(deps),
      changePasswordMethod(deps),
      checkResetMethod(deps),
      completeResetMethod(deps),
      ...administrationMethods(deps),
    ],
    close: startUpkeep(deps),
  };
}

function checkInvitationMethod({ store, now, organisation }: AccountsDeps) {
  return register(checkInvitation, {
    permission: 'anyone',
    limit: { requests: 300, seconds: 600, by: 'address' },
    handle: async ({ invitation }) => ({ organisation, ...(await requireInvitation(store.db, invitation, now())) }),
  });
}

function signOutMethod({ store, bus }: AccountsDeps) {
  return register(signOut, {
    permission: 'account',
    capability: 'session',
    limit: { requests: 30, seconds: 60, by: 'account' },
    handle: async (_, { session }) => {
      // After the answer: the connection closes with the session.
      await store.db.deleteFrom('sessions').where('sessionId', '=', session.sessionId).execute();
      setImmediate(() => bus.publish('sessionRevoked', { sessionId: session.sessionId }));
      return {};
    },
  });
}

function listSessions({ store, now, liveSessions, sessionLifetime }: AccountsDeps) {
  return register(sessionsMethod, {
    // A password alone is no linked device, and must not sign the owner's devices out.
    permission: 'device',
    capability: 'session',
    limit: { requests: 60, seconds: 60, by: 'account' },
    handle: async (_, { session }) => {
      const rows = await store.db
        .selectFrom('sessions')
        .select(['sessionId', 'deviceId', 'client', 'createdAt', 'lastSeenAt'])
        .where('userId', '=', session.userId)
        .orderBy('lastSeenAt', 'desc')
        .limit(200)
        .execute();
      const live = new Set(liveSessions());
      const answeredAt = now();
      return {
        sessions: rows
          // Written down now and then only; whoever is connected is seen now.
          .map((row) => (live.has(row.sessionId) ? { ...row, lastSeenAt: answeredAt } : row))
          .map((row) => ({
            ...row,
            current: row.sessionId === session.sessionId,
            expiresAt: expiryOf(row, sessionLifetime),
          })),
      };
    },
  });
}

function revokeSessionHandler({ store, bus }: AccountsDeps) {
  return register(revokeSession, {
    // A password alone is no linked device, and must not sign the owner's devices out.
    permission: 'device',
    capability: 'session',
    limit: { requests: 60, seconds: 60, by: 'account' },
    handle: async ({ sessionId }, { session }) => {
      const ended = await store.transaction(async (trx) => {
        await requireStanding(trx, store.kind, session);
        return deleteSession(trx, session.userId, sessionId);
      });
      if (ended) bus.publish('sessionRevoked', { sessionId });
      return {};
    },
  });
}

function inviteMethod({ store, now, log }: AccountsDeps) {
  return register(createInvitationsMethod, {
    permission: 'admin',
    limit: { requests: 60, seconds: 60, by: 'account' },
    // The answer holds tokens, which are kept nowhere: a repeat is answered with fresh ones.
    replay: 'own',
    handle: async ({ count, role, validHours, idempotencyId }, caller) => {
      const key: RequestKey = {
        scope: requestScopeOf(caller),
        id: idempotencyId,
        method: createInvitationsMethod.name,
      };
      const requestId = `${scopeOf(caller)}/${idempotencyId}`;
      const made = await store.transaction(async (trx) => {
        await requireStanding(trx, store.kind, caller.session);
        const first = await findAnswer(trx, key);
        if (first) {
          const { expiresAt } = first.result as { expiresAt: number };
          return { invitations: await renewInvitations(trx, requestId), expiresAt };
        }
        const createdBy = caller.session.userId;
        const fresh = await createInvitations(trx, { count, role, validHours, createdBy, requestId, now: now() });
        await keepAnswer(trx, key, now(), { expiresAt: fresh.expiresAt });
        return fresh;
      });
      log.info(
        { audit: createInvitationsMethod.name, by: caller.session.userId, role, count },
        'invitations were made',
      );
      return made;
    },
  });
}
