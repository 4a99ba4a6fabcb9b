import { z } from 'zod';
import { AccountStatus, ResetToken, Role, Username } from './accounts.ts';
import { ShownName } from './display-name.ts';
import { Timestamp, UserId } from './ids.ts';
import { mutation, Nothing, query, setter } from './method.ts';

/** PostgreSQL holds no NUL, and no name holds another control character. */
const SearchText = z
  .string()
  .max(64)
  .regex(/^\P{Cc}*$/u);

/** An account as administrators see it. */
export const ManagedPerson = z.strictObject({
  userId: UserId,
  username: Username,
  displayName: ShownName,
  role: Role,
  status: AccountStatus,
  createdAt: Timestamp,
  /** When a session of the account was last used; null without one. */
  lastSeenAt: Timestamp.nullable(),
});
export type ManagedPerson = z.infer<typeof ManagedPerson>;

/** Administrators only. Everybody whose name or username holds `text`, whatever their status. */
export const managedPeople = query(
  'accounts.people',
  { text: SearchText, limit: z.int().min(1).max(100), after: UserId.optional() },
  z.strictObject({ people: z.array(ManagedPerson), more: z.boolean() }),
);

/**
 * Administrators only. Ends the account's sessions at once; it can sign in no more, and is not found, called or written
 * to. Errors: `user_unknown`, `last_administrator`.
 */
export const suspend = setter('accounts.suspend', { userId: UserId }, Nothing);

/** Administrators only. Errors: `user_unknown`. */
export const reinstate = setter('accounts.reinstate', { userId: UserId }, Nothing);

/**
 * Administrators only, and for good: as `suspend`, and its devices, keys and waiting messages are deleted. Id and username
 * stay taken. Errors: `user_unknown`, `last_administrator`.
 */
export const remove = setter('accounts.remove', { userId: UserId }, Nothing);

/** Administrators only. A token for a new password; an earlier one is void from here on. Errors: `user_unknown`. */
export const resetPassword = mutation(
  'accounts.resetPassword',
  { userId: UserId },
  z.strictObject({ reset: ResetToken, expiresAt: Timestamp }),
);
