import { z } from 'zod';
import { base64Bytes, DeviceId, SessionId, Timestamp, UserId } from './ids.ts';
import { mutation, Nothing, query, setter } from './method.ts';
import { NewDevice, SignedDeviceList } from './devices.ts';
import { DisplayName, ShownName } from './display-name.ts';
import { SignedProfile } from './profile.ts';

export { DisplayName };

export const Role = z.enum(['admin', 'member', 'guest']);
export type Role = z.infer<typeof Role>;

/** Lower case, so that two names never differ by case alone. */
export const Username = z
  .string()
  .min(2)
  .max(32)
  .regex(/^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/);
export type Username = z.infer<typeof Username>;

/** `suspended`: cannot sign in, be found, called or written to until an administrator says so. `removed`: for good. */
export const AccountStatus = z.enum(['active', 'suspended', 'removed']);
export type AccountStatus = z.infer<typeof AccountStatus>;

/** Length over rules (NIST SP 800-63B section 5.1.1.2): 10 to 256 characters. */
export const Password = z.string().min(10).max(256);

/** 32 random bytes, base64url: what an invitation link carries in its fragment. */
export const InvitationToken = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
/** 32 random bytes, base64url. The server keeps only its SHA-256. */
export const SessionToken = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

export const Account = z.strictObject({
  userId: UserId,
  username: Username,
  displayName: ShownName,
  role: Role,
  /** Only of accounts that are not active. */
  status: AccountStatus.exclude(['active']).optional(),
});
export type Account = z.infer<typeof Account>;

export const checkInvitation = query(
  'accounts.checkInvitation',
  { invitation: InvitationToken },
  z.strictObject({ role: Role, organisation: z.string(), expiresAt: Timestamp }),
);

/**
 * Creates the account with its first device in one step. Errors: `invitation_*`, `username_taken`,
 * `display_name_taken`, `account_exists` (another account has this user id), `device_list_invalid`, `prekey_invalid`,
 * `profile_invalid`, `clock_wrong`.
 */
export const signUp = mutation(
  'accounts.signUp',
  {
    invitation: InvitationToken,
    userId: UserId,
    username: Username,
    displayName: DisplayName,
    password: Password,
    device: NewDevice,
    deviceList: SignedDeviceList,
    /** The names above, signed; absent from clients that are older than it. */
    profile: SignedProfile.optional(),
  },
  z.strictObject({ session: SessionToken, account: Account }),
);

/**
 * Signs in. With `device`, the session belongs to that device, which proves itself by signing
 * `signInProofText(origin, challenge, …)` with its authentication key (the challenge is in the answer to `hello`).
 * Without, the session can only ask for the device to be linked. Errors: `credentials_invalid`,
 * `account_suspended`, `device_unknown`, `device_proof_invalid`.
 */
export const signIn = mutation(
  'accounts.signIn',
  {
    username: Username,
    password: z.string().min(1).max(256),
    device: z.strictObject({ deviceId: DeviceId, proof: base64Bytes(64) }).optional(),
  },
  z.strictObject({ session: SessionToken, account: Account }),
);

/** Revokes the session that asks. */
export const signOut = setter('accounts.signOut', {}, Nothing);

export const Session = z.strictObject({
  sessionId: SessionId,
  deviceId: DeviceId.nullable(),
  client: z.string().max(120),
  createdAt: Timestamp,
  lastSeenAt: Timestamp,
  current: z.boolean(),
  /** When it ends if it is not used; newer servers say so. */
  expiresAt: Timestamp.optional(),
});
export type Session = z.infer<typeof Session>;

export const sessions = query('accounts.sessions', {}, z.strictObject({ sessions: z.array(Session) }));

export const revokeSession = setter('accounts.revokeSession', { sessionId: SessionId }, Nothing);

/**
 * Ends every other session of the account. A repeat is answered as the first: the password is the new one already.
 * Errors: `password_wrong`.
 */
export const changePassword = setter(
  'accounts.changePassword',
  { current: z.string().min(1).max(256), password: Password },
  Nothing,
);

/** 32 random bytes, base64url: what a link to set a new password carries in its fragment. Works once. */
export const ResetToken = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** Errors: `reset_invalid`. */
export const checkReset = query(
  'accounts.checkReset',
  { reset: ResetToken },
  z.strictObject({ username: Username, organisation: z.string(), expiresAt: Timestamp }),
);

/** Sets the password that a link was given for, and ends all sessions of the account. Errors: `reset_invalid`. */
export const completeReset = setter(
  'accounts.completeReset',
  { reset: ResetToken, password: Password },
  z.strictObject({ username: Username }),
);

/** Administrators only. Links are built by the client from the tokens. */
export const createInvitations = mutation(
  'accounts.createInvitations',
  {
    count: z.int().min(1).max(1000),
    role: Role,
    /** How long they last, in hours. */
    validHours: z
      .int()
      .min(1)
      .max(24 * 90),
  },
  z.strictObject({ invitations: z.array(InvitationToken), expiresAt: Timestamp }),
);

/**
 * The text a device signs with its Ed25519 authentication key to bind a sign-in to one server and one connection.
 * `origin` is the server as the client reached it (`https://host[:port]`): a server that passes the challenge of another
 * one on gets a proof that the other one refuses.
 */
export function signInProofText(origin: string, challenge: string, username: string, deviceId: number): string {
  return `teahouse/sign-in/v2\n${origin}\n${challenge}\n${username}\n${deviceId}`;
}
