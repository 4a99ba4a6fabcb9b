import { changePassword } from '../../../protocol/accounts.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { register } from '../../ws/method.ts';
import type { AccountsDeps } from './deps.ts';
import { deleteSessions } from './sessions.ts';
import { requireStanding } from './standing.ts';

/** The other sessions end: whoever had the old password is out. */
export function changePasswordMethod({ store, passwords, bus }: AccountsDeps) {
  return register(changePassword, {
    // A password alone is no linked device, and must not shut the owner's devices out.
    permission: 'device',
    capability: 'session',
    // Whoever has a session must not guess the password with it.
    limit: { requests: 10, seconds: 900, by: 'account' },
    handle: async ({ current, password }, { session }) => {
      const { userId, sessionId } = session;
      const account = await store.db
        .selectFrom('accounts')
        .select('passwordHash')
        .where('userId', '=', userId)
        .where('status', '!=', 'removed')
        .executeTakeFirst();
      if (!account) throw new ProtocolError('session_invalid', 'The session was revoked.');
      if (!(await passwords.verify(current, account.passwordHash, 'proven'))) {
        // A repeat, after the first answer was lost.
        if (await passwords.verify(password, account.passwordHash, 'proven')) return {};
        throw new ProtocolError('password_wrong', 'That is not the present password.');
      }
      const passwordHash = await passwords.hash(password, 'proven');
      const ended = await store.transaction(async (trx) => {
        await requireStanding(trx, store.kind, session);
        const { numUpdatedRows } = await trx
          .updateTable('accounts')
          .set({ passwordHash })
          .where('userId', '=', userId)
          .where('passwordHash', '=', account.passwordHash)
          .executeTakeFirst();
        if (numUpdatedRows === 0n) throw new ProtocolError('password_wrong', 'The password was changed meanwhile.');
        // A link to a new password that is still about is void with the old one.
        await trx.deleteFrom('passwordResets').where('userId', '=', userId).execute();
        return deleteSessions(trx, userId, sessionId);
      });
      for (const ending of ended) bus.publish('sessionRevoked', { sessionId: ending });
      return {};
    },
  });
}
