import { randomUUID } from 'node:crypto';
import type { Account } from '../../../protocol/accounts.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { DeviceId, SessionId, UserId } from '../../../protocol/ids.ts';
import type { Bus } from '../../bus/bus.ts';
import type { Database, Trx } from '../../store/schema.ts';
import { storageFailure } from '../../store/storage-failure.ts';
import type { Store } from '../../store/store.ts';
import type { Authenticator } from '../../ws/hello.ts';
import { LIMITS } from './limits.ts';
import { hashToken, newToken } from './tokens.ts';

/** "Last seen" is written at most this often for a session. Milliseconds. */
const SEEN_EVERY_MS = 60_000;
/** How long a revoked session is remembered, for a hello that was under way. Milliseconds. */
const REVOKED_MEMORY_MS = 60_000;

export interface NewSession {
  readonly sessionId: SessionId;
  readonly token: string;
}

export function newSessionId(): SessionId {
  return randomUUID() as string as SessionId;
}

export async function createSession(
  trx: Trx,
  session: {
    readonly sessionId: SessionId;
    readonly userId: UserId;
    readonly deviceId: DeviceId | null;
    readonly client: string;
    readonly now: number;
  },
): Promise<NewSession> {
  const { now, ...columns } = session;
  const token = newToken();
  await trx
    .insertInto('sessions')
    .values({ ...columns, tokenHash: hashToken(token), createdAt: now, lastSeenAt: now })
    .execute();
  return { sessionId: session.sessionId, token };
}

/**
 * A new token for a session whose first one was lost with its answer; the lost one is void from here on. Undefined if
 * the session is gone.
 */
export async function renewToken(
  trx: Trx,
  sessionId: SessionId,
  deviceId: DeviceId | null,
): Promise<string | undefined> {
  const token = newToken();
  const { numUpdatedRows } = await trx
    .updateTable('sessions')
    .set({ tokenHash: hashToken(token) })
    .where('sessionId', '=', sessionId)
    // Who has proved no device, or another, gets no token of this one.
    .where('deviceId', deviceId === null ? 'is' : '=', deviceId)
    .executeTakeFirst();
  return numUpdatedRows > 0n ? token : undefined;
}

/** Ends the sessions of one device; the caller tells the bus once the transaction is committed. */
export async function deleteDeviceSessions(trx: Trx, userId: UserId, deviceId: DeviceId): Promise<SessionId[]> {
  const rows = await trx
    .deleteFrom('sessions')
    .where('userId', '=', userId)
    .where('deviceId', '=', deviceId)
    .returning('sessionId')
    .execute();
  return rows.map((row) => row.sessionId);
}

/** Makes room for one more session without a device; the caller tells the bus once the transaction is committed. */
export async function deleteOldestUnlinked(trx: Trx, userId: UserId): Promise<SessionId[]> {
  const rows = await trx
    .selectFrom('sessions')
    .select('sessionId')
    .where('userId', '=', userId)
    .where('deviceId', 'is', null)
    .orderBy('createdAt', 'desc')
    .offset(LIMITS.unlinkedSessions.value - 1)
    .limit(1000)
    .execute();
  const ended = rows.map(({ sessionId }) => sessionId);
  if (ended.length > 0) await trx.deleteFrom('sessions').where('sessionId', 'in', ended).execute();
  return ended;
}

/** Ends the sessions of an account but `except`; the caller tells the bus once the transaction is committed. */
export async function deleteSessions(trx: Trx, userId: UserId, except: SessionId | null): Promise<SessionId[]> {
  let query = trx.deleteFrom('sessions').where('userId', '=', userId);
  if (except !== null) query = query.where('sessionId', '!=', except);
  return (await query.returning('sessionId').execute()).map(({ sessionId }) => sessionId);
}

/** How long sessions last, in milliseconds. */
export interface SessionLifetime {
  /** Without being used. */
  readonly idleMs: number;
  /** In all. */
  readonly maxMs: number;
}

/** When a session ends if it is not used. */
export function expiryOf(session: { readonly createdAt: number; readonly lastSeenAt: number }, life: SessionLifetime) {
  return Math.min(session.createdAt + life.maxMs, session.lastSeenAt + life.idleMs);
}

/** Ends what has expired; `live` sessions, which are connected now, count as seen. Returns those that were ended. */
export async function expireSessions(
  db: Database,
  life: SessionLifetime,
  live: readonly SessionId[],
  now: number,
): Promise<SessionId[]> {
  for (let start = 0; start < live.length; start += 500) {
    const some = live.slice(start, start + 500);
    await db.updateTable('sessions').set({ lastSeenAt: now }).where('sessionId', 'in', some).execute();
  }
  const rows = await db
    .deleteFrom('sessions')
    .where((where) =>
      where.or([where('createdAt', '<=', now - life.maxMs), where('lastSeenAt', '<=', now - life.idleMs)]),
    )
    .returning('sessionId')
    .execute();
  return rows.map(({ sessionId }) => sessionId);
}

/** The session becomes the session of a device that was just put on the list. */
export async function bindSession(trx: Trx, sessionId: SessionId, deviceId: DeviceId): Promise<void> {
  const session = await trx
    .selectFrom('sessions')
    .select('deviceId')
    .where('sessionId', '=', sessionId)
    .executeTakeFirst();
  if (session && session.deviceId !== null)
    throw new ProtocolError('device_list_invalid', 'The session that asked to be linked has a device already.');
  await trx.updateTable('sessions').set({ deviceId }).where('sessionId', '=', sessionId).execute();
}

/** Ends a session of this account; the caller tells the bus once that is committed. Whether there was such a one. */
export async function deleteSession(trx: Trx, userId: UserId, sessionId: SessionId): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('sessions')
    .where('userId', '=', userId)
    .where('sessionId', '=', sessionId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Looks sessions up by their token, for hello; `agesBy` says whether one is too old. */
export function sessionAuthenticator(
  store: Store,
  bus: Bus,
  now: () => number,
  lifetime: SessionLifetime,
  agesBy: () => number,
): Authenticator {
  const revoked = new Map<SessionId, number>();
  bus.subscribe('sessionRevoked', ({ sessionId }) => {
    for (const [id, at] of revoked) if (at < now() - REVOKED_MEMORY_MS) revoked.delete(id);
    revoked.set(sessionId, now());
  });
  return {
    async authenticate(token, client) {
      const found = await findSession(store.db, token);
      if (!found || expiryOf(found, lifetime) <= agesBy()) return null;
      const { sessionId, userId, role, deviceId, username, displayName } = found;
      if (found.lastSeenAt < now() - SEEN_EVERY_MS || found.client !== client) {
        await noteSeen(store.db, sessionId, client, now());
      }
      const account: Account = { userId, username, displayName, role };
      return { session: { sessionId, userId, role, deviceId }, account };
    },
    isLive: (session) => !revoked.has(session.sessionId),
  };
}

/** Where nothing can be written (a full disk), people still come in, to fetch and to acknowledge, which frees space. */
async function noteSeen(db: Database, sessionId: SessionId, client: string, lastSeenAt: number): Promise<void> {
  try {
    await db.updateTable('sessions').set({ lastSeenAt, client }).where('sessionId', '=', sessionId).execute();
  } catch (error) {
    const failure = storageFailure(error);
    if (failure !== 'full' && failure !== 'read-only') throw error;
  }
}

function findSession(db: Database, token: string) {
  return db
    .selectFrom('sessions')
    .innerJoin('accounts', 'accounts.userId', 'sessions.userId')
    .select([
      'sessionId',
      'sessions.userId',
      'deviceId',
      'client',
      'sessions.createdAt',
      'lastSeenAt',
      'role',
      'username',
      'displayName',
    ])
    .where('tokenHash', '=', hashToken(token))
    .where('status', '=', 'active')
    .executeTakeFirst();
}
