import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvitationToken } from '../../../protocol/accounts.ts';
import type { Database } from '../../store/schema.ts';
import { createInvitations, requireInvitation } from './invitations.ts';

const VALID_HOURS = 7 * 24;

/**
 * The invitation for the first administrator, as long as nobody has an account; else null. It stays the same until it
 * expires: the token is kept in a file of the data folder that only the server's user may read, and which goes away
 * at the first start after somebody used it.
 */
export async function firstInvitation(db: Database, dataDir: string, now: number): Promise<string | null> {
  const path = join(dataDir, 'first-invitation');
  const someone = await db.selectFrom('accounts').select('userId').limit(1).executeTakeFirst();
  if (someone) {
    await rm(path, { force: true });
    return null;
  }
  const kept = InvitationToken.safeParse((await readFile(path, 'utf8').catch(() => '')).trim());
  if (kept.success) {
    const usable = await requireInvitation(db, kept.data, now).catch(() => null);
    if (usable) return kept.data;
  }
  const wanted = { count: 1, role: 'admin', validHours: VALID_HOURS, createdBy: null, requestId: null, now } as const;
  const [token] = (await createInvitations(db, wanted)).invitations;
  await writeFile(path, `${token}\n`, { mode: 0o600 });
  return token ?? null;
}
