import { signUp, type Account } from '../../../protocol/accounts.ts';
import { changed } from '../../../protocol/contacts.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { SessionId } from '../../../protocol/ids.ts';
import type { ParamsOf, ResultOf } from '../../../protocol/method.ts';
import { skeletonOf } from '../../name-skeleton.ts';
import { claimAnswer, findAnswer, type RequestKey } from '../../store/once.ts';
import type { Trx } from '../../store/schema.ts';
import { roleMay } from '../../ws/capabilities.ts';
import { register } from '../../ws/method.ts';
import { indexPerson, profileColumns, sortNameOf } from '../contacts/index.ts';
import { insertDevice, insertList, requireFirstList } from '../devices/index.ts';
import type { AccountsDeps } from './deps.ts';
import { requireInvitation, useInvitation } from './invitations.ts';
import { requireFreeName } from './names.ts';
import { createSession, newSessionId, renewToken } from './sessions.ts';
import { requirePassword } from './standing.ts';

type Params = ParamsOf<typeof signUp>;
type Result = ResultOf<typeof signUp>;

/** Kept in place of the answer, which holds a token. */
interface Kept {
  readonly sessionId: SessionId;
}

export function signUpMethod(deps: AccountsDeps) {
  return register(signUp, {
    permission: 'anyone',
    limit: { requests: 300, seconds: 600, by: 'address' },
    // The answer holds a token, which is kept nowhere: a repeat is answered with a fresh one.
    replay: 'own',
    handle: async (params, caller) => {
      const key: RequestKey = { scope: `sign-up/${params.userId}`, id: params.idempotencyId, method: signUp.name };
      // In this order: an invitation that an equal request has just used up is no reason to refuse its repeat.
      const refusal = await refusalOf(requireInvitation(deps.store.db, params.invitation, deps.now()));
      const first = await findAnswer(deps.store.db, key);
      if (first) return repeat(deps, params, first.result as Kept, caller.address);
      if (refusal) throw refusal;
      requireFirstList(params.deviceList, params.userId, params.device, deps.now());
      const passwordHash = await deps.passwords.hash(params.password);
      const kept: Kept = { sessionId: newSessionId() };
      const made = await deps.store.transaction(async (trx) => {
        if (!(await claimAnswer(trx, key, deps.now(), kept))) return { repeated: await findAnswer(trx, key) };
        return { result: await createAccount(trx, params, { passwordHash, ...kept }, caller.client, deps.now()) };
      });
      if (!made.result) return repeat(deps, params, made.repeated?.result as Kept, caller.address);
      const { account, token } = made.result;
      const { profile } = params;
      if (roleMay(account.role, 'organisation'))
        deps.events.toEveryone(changed, { person: { ...account, ...(profile && { profile }) } });
      return { session: token, account };
    },
  });
}

function refusalOf(request: Promise<unknown>): Promise<unknown> {
  return request.then(
    () => null,
    (reason: unknown) => reason,
  );
}

async function createAccount(
  trx: Trx,
  params: Params,
  { passwordHash, sessionId }: Kept & { readonly passwordHash: string },
  client: string,
  now: number,
) {
  const { userId, username, displayName, device, deviceList, profile } = params;
  const usernameSkeleton = skeletonOf(username);
  const taken = await trx
    .selectFrom('accounts')
    .select('userId')
    .where((where) =>
      where.or([
        where('userId', '=', userId),
        where('username', '=', username),
        where('usernameSkeleton', '=', usernameSkeleton),
      ]),
    )
    .execute();
  if (taken.some((row) => row.userId === userId))
    throw new ProtocolError('account_exists', 'This user id has an account already.');
  if (taken.length > 0)
    throw new ProtocolError('username_taken', 'This username, or one that looks like it, is taken.');

  const nameSkeleton = skeletonOf(displayName);
  await requireFreeName(trx, userId, nameSkeleton);
  const role = await useInvitation(trx, params.invitation, userId, now);
  const account: Account = { userId, username, displayName, role };
  const { accountKey } = deviceList;
  await trx
    .insertInto('accounts')
    .values({
      ...account,
      sortName: sortNameOf(displayName),
      passwordHash,
      accountKey,
      createdAt: now,
      nameSkeleton,
      usernameSkeleton,
      ...(profile && profileColumns(profile, { userId, username, displayName, accountKey })),
    })
    .execute();
  await indexPerson(trx, account);
  await insertList(trx, userId, deviceList, roleMay(role, 'organisation'));
  await insertDevice(trx, userId, device, now);
  const session = await createSession(trx, { sessionId, userId, deviceId: device.deviceId, client, now });
  return { account, ...session };
}

/**
 * The account was made, but its answer may have been lost: whoever knows the password gets a new token for the session.
 * What is no repeat is a guess at the password, and counts as a failed sign-in does.
 */
async function repeat(deps: AccountsDeps, params: Params, kept: Kept, address: string): Promise<Result> {
  const forgive = await deps.signInLimits.attempt(params.username, address, undefined);
  const account = await deps.store.db
    .selectFrom('accounts')
    .select(['userId', 'username', 'displayName', 'role', 'passwordHash'])
    .where('userId', '=', params.userId)
    .where('status', '=', 'active')
    .executeTakeFirst();
  const known = await deps.passwords.verify(params.password, account?.passwordHash);
  if (!account || !known || account.username !== params.username) {
    throw new ProtocolError('credentials_invalid', 'This request was made before, with another password or username.');
  }
  await forgive();
  const { passwordHash, ...shown } = account;
  const token = await deps.store.transaction(async (trx) => {
    await requirePassword(trx, deps.store.kind, account.userId, passwordHash);
    return renewToken(trx, kept.sessionId, params.device.deviceId);
  });
  if (token === undefined) throw new ProtocolError('account_exists', 'The account exists; sign in.');
  return { session: token, account: shown };
}
