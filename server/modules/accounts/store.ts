import type { UserId } from '../../../protocol/ids.ts';
import type { Database } from '../../store/schema.ts';
import { rolesWith } from '../../ws/capabilities.ts';

/** Whether every one of these accounts is there and active; one that is named twice counts once. */
export async function usersExist(db: Database, users: readonly UserId[]): Promise<boolean> {
  const wanted = [...new Set(users)];
  if (wanted.length === 0) return true;
  const rows = await db
    .selectFrom('accounts')
    .select('userId')
    .where('userId', 'in', wanted)
    .where('status', '=', 'active')
    // A guest hears of no call.
    .where('role', 'in', rolesWith('organisation'))
    .execute();
  return rows.length === wanted.length;
}
