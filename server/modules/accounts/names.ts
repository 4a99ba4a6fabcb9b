import { ProtocolError } from '../../../protocol/errors.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { Database, Trx } from '../../store/schema.ts';

/**
 * Throws `display_name_taken` if somebody else has a name that looks like this one. Two people who ask at once are told
 * apart by the unique index, and the second one's transaction comes back here.
 */
export async function requireFreeName(db: Database | Trx, userId: UserId, nameSkeleton: string): Promise<void> {
  const other = await db
    .selectFrom('accounts')
    .select('userId')
    .where('nameSkeleton', '=', nameSkeleton)
    .where('userId', '!=', userId)
    .executeTakeFirst();
  if (other) throw new ProtocolError('display_name_taken', 'Somebody has a name that looks like this one.');
}
