import { signIn, signInProofText } from '../../../protocol/accounts.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { DeviceId, SessionId, UserId } from '../../../protocol/ids.ts';
import type { ParamsOf } from '../../../protocol/method.ts';
import { findAnswer, forgetAnswers, keepAnswer, type RequestKey } from '../../store/once.ts';
import type { Trx } from '../../store/schema.ts';
import { register } from '../../ws/method.ts';
import { verifyEd25519 } from '../devices/index.ts';
import type { AccountsDeps } from './deps.ts';
import { LIMITS } from './limits.ts';
import { createSession, deleteDeviceSessions, deleteOldestUnlinked, newSessionId, renewToken } from './sessions.ts';
import { requirePassword } from './standing.ts';

type Params = ParamsOf<typeof signIn>;
const KEPT_MS = LIMITS.keptSignInMinutes.value * 60_000;
/** Of nobody. The key is only there to be computed with (it is the base point of edwards25519). */
const NO_USER = '' as UserId;
const NO_KEY = 'WGZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY=';

type Proof = 'none' | 'unknown' | 'invalid' | 'valid';

export function signInMethod(deps: AccountsDeps) {
  return register(signIn, {
    permission: 'anyone',
    // By connection: at one address are strangers too, who must not use up an owner's tries. What costs something is
    // counted by SignInLimits.
    limit: { requests: 30, seconds: 60, by: 'account' },
    // The answer holds a token, which is kept nowhere: a repeat is answered with a fresh one.
    replay: 'own',
    handle: async (params, caller) => {
      const account = await findAccount(deps, params.username);
      const proof = await checkProof(deps, params, account?.userId, caller.challenge);
      const proven = proof === 'valid' ? params.device?.deviceId : undefined;
      const forgive = await deps.signInLimits.attempt(params.username, caller.address, proven);
      const lane = proven === undefined ? 'strangers' : 'proven';
      const known = await deps.passwords.verify(params.password, account?.passwordHash, lane);
      // One answer for a wrong name and a wrong password; what is wrong with the device is told to the owner only.
      if (!known || !account) throw new ProtocolError('credentials_invalid', 'Wrong username or password.');
      if (account.status === 'suspended') throw new ProtocolError('account_suspended', 'The account is suspended.');
      if (proof === 'unknown') throw deviceUnknown();
      if (proof === 'invalid') throw new ProtocolError('device_proof_invalid', 'The device’s signature does not fit.');
      await forgive();

      const { passwordHash, status: _, ...shown } = account;
      const outdated = deps.passwords.isOutdated(passwordHash);
      const checked = outdated ? await rehash(deps, account, params.password) : passwordHash;
      const { token, revoked } = await deps.store.transaction(async (trx) => {
        await requirePassword(trx, deps.store.kind, account.userId, checked);
        await requireDevice(trx, account.userId, params.device?.deviceId);
        return startSession(trx, params, account.userId, caller.client, deps.now());
      });
      for (const sessionId of revoked) deps.bus.publish('sessionRevoked', { sessionId });
      return { session: token, account: shown };
    },
  });
}

function findAccount(deps: AccountsDeps, username: string) {
  return deps.store.db
    .selectFrom('accounts')
    .select(['userId', 'username', 'displayName', 'role', 'passwordHash', 'status'])
    .where('username', '=', username)
    .where('status', '!=', 'removed')
    .executeTakeFirst();
}

async function checkProof(
  deps: AccountsDeps,
  params: Params,
  userId: UserId | undefined,
  challenge: string,
): Promise<Proof> {
  const { device, username } = params;
  if (!device) return 'none';
  // The same work for a name that nobody has, so that the time of the answer does not tell.
  const row = await deps.store.db
    .selectFrom('devices')
    .select('authenticationKey')
    .where('userId', '=', userId ?? NO_USER)
    .where('deviceId', '=', device.deviceId)
    .executeTakeFirst();
  const key = row?.authenticationKey ?? NO_KEY;
  const valid = deps
    .origins()
    .some((origin) => verifyEd25519(key, signInProofText(origin, challenge, username, device.deviceId), device.proof));
  if (!row) return 'unknown';
  return valid ? 'valid' : 'invalid';
}

/** The device that proved itself may have been taken off the list since. Throws `device_unknown`. */
async function requireDevice(trx: Trx, userId: UserId, deviceId: DeviceId | undefined): Promise<void> {
  if (deviceId === undefined) return;
  const device = trx.selectFrom('devices').select('deviceId').where('userId', '=', userId);
  if (!(await device.where('deviceId', '=', deviceId).executeTakeFirst())) throw deviceUnknown();
}

function deviceUnknown(): ProtocolError {
  return new ProtocolError('device_unknown', 'The account has no such device.');
}

/** A device has one session: the new one ends those before it. */
async function startSession(
  trx: Trx,
  params: Params,
  userId: UserId,
  client: string,
  now: number,
): Promise<{ token: string; revoked: SessionId[] }> {
  const key: RequestKey = { scope: `sign-in/${userId}`, id: params.idempotencyId, method: signIn.name };
  await forgetAnswers(trx, key.scope, now - KEPT_MS);
  const first = await findAnswer(trx, key);
  const deviceId = params.device?.deviceId ?? null;
  const kept = first?.result as { readonly sessionId: SessionId } | undefined;
  const renewed = kept && (await renewToken(trx, kept.sessionId, deviceId));
  if (renewed !== undefined) return { token: renewed, revoked: [] };
  const revoked =
    deviceId === null ? await deleteOldestUnlinked(trx, userId) : await deleteDeviceSessions(trx, userId, deviceId);
  const sessionId = newSessionId();
  const { token } = await createSession(trx, { sessionId, userId, deviceId, client, now });
  if (!first) await keepAnswer(trx, key, now, { sessionId });
  return { token, revoked };
}

/**
 * Keeps the password that was just checked with today's effort, unless it is no longer the account's. Returns the hash
 * that is kept of it. Throws `credentials_invalid`.
 */
async function rehash(
  { store, passwords }: AccountsDeps,
  { userId, passwordHash: old }: { readonly userId: UserId; readonly passwordHash: string },
  password: string,
): Promise<string> {
  const passwordHash = await passwords.hash(password);
  const { numUpdatedRows } = await store.db
    .updateTable('accounts')
    .set({ passwordHash })
    .where('userId', '=', userId)
    .where('passwordHash', '=', old)
    .executeTakeFirst();
  if (numUpdatedRows > 0n) return passwordHash;
  // Another sign-in did the same, or the password is another by now.
  const account = await store.db
    .selectFrom('accounts')
    .select('passwordHash')
    .where('userId', '=', userId)
    .where('status', '!=', 'removed')
    .executeTakeFirst();
  if (account && (await passwords.verify(password, account.passwordHash))) return account.passwordHash;
  throw new ProtocolError('credentials_invalid', 'The password was changed meanwhile.');
}
