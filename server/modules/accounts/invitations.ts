import type { Role } from '../../../protocol/accounts.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { Database, Trx } from '../../store/schema.ts';
import { hashToken, newToken } from './tokens.ts';

const HOUR_MS = 3_600_000;
/** Expired and used invitations are kept this long, so that a late click is told why it fails. Milliseconds. */
const KEEP_MS = 90 * 24 * HOUR_MS;

export interface NewInvitations {
  readonly count: number;
  readonly role: Role;
  readonly validHours: number;
  readonly createdBy: UserId | null;
  readonly requestId: string | null;
  readonly now: number;
}

export interface Invitations {
  readonly invitations: string[];
  readonly expiresAt: number;
}

/** Makes single-use invitations. The tokens exist only in the answer: the store keeps their hashes. */
export async function createInvitations(db: Database | Trx, wanted: NewInvitations): Promise<Invitations> {
  const invitations = Array.from({ length: wanted.count }, newToken);
  const expiresAt = wanted.now + wanted.validHours * HOUR_MS;
  const { role, createdBy, requestId, now } = wanted;
  await db
    .insertInto('invitations')
    .values(
      invitations.map((token) => ({
        tokenHash: hashToken(token),
        role,
        createdBy,
        requestId,
        createdAt: now,
        expiresAt,
        usedBy: null,
        usedAt: null,
      })),
    )
    .execute();
  return { invitations, expiresAt };
}

/** New tokens for those of a request's invitations that nobody has used: their first ones were lost with the answer. */
export async function renewInvitations(trx: Trx, requestId: string): Promise<string[]> {
  const unused = await trx
    .selectFrom('invitations')
    .select('tokenHash')
    .where('requestId', '=', requestId)
    .where('usedBy', 'is', null)
    .execute();
  const tokens: string[] = [];
  for (const { tokenHash } of unused) {
    const token = newToken();
    await trx
      .updateTable('invitations')
      .set({ tokenHash: hashToken(token) })
      .where('tokenHash', '=', tokenHash)
      .execute();
    tokens.push(token);
  }
  return tokens;
}

/** Throws `invitation_invalid`, `invitation_used` or `invitation_expired`. */
export async function requireInvitation(
  db: Database | Trx,
  token: string,
  now: number,
): Promise<{ role: Role; expiresAt: number }> {
  const row = await db
    .selectFrom('invitations')
    .select(['role', 'expiresAt', 'usedBy'])
    .where('tokenHash', '=', hashToken(token))
    .executeTakeFirst();
  if (!row) throw new ProtocolError('invitation_invalid', 'There is no such invitation.');
  if (row.usedBy !== null) throw new ProtocolError('invitation_used', 'The invitation was used already.');
  if (row.expiresAt <= now) throw new ProtocolError('invitation_expired', 'The invitation has expired.');
  return { role: row.role, expiresAt: row.expiresAt };
}

/** Uses an invitation up for an account, and says which role it carries. Errors as `requireInvitation`. */
export async function useInvitation(trx: Trx, token: string, userId: UserId, now: number): Promise<Role> {
  const { role } = await requireInvitation(trx, token, now);
  const { numUpdatedRows } = await trx
    .updateTable('invitations')
    .set({ usedBy: userId, usedAt: now })
    .where('tokenHash', '=', hashToken(token))
    .where('usedBy', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new ProtocolError('invitation_used', 'The invitation was used already.');
  return role;
}

export async function pruneInvitations(db: Database, now: number): Promise<void> {
  await db
    .deleteFrom('invitations')
    .where('expiresAt', '<', now - KEEP_MS)
    .execute();
}

/** The token is in the fragment, which browsers send to no server and write to no server's log. */
export function invitationLink(origin: string, token: string): string {
  return `${origin}/#/join/${token}`;
}
