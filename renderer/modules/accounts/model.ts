import type { Account, Role, Session } from '../../../protocol/accounts.ts';
import type { ManagedPerson } from '../../../protocol/administration.ts';
import type { SessionId, UserId } from '../../../protocol/ids.ts';

/** Where this device stands; decides which screen is shown. */
export type AccountStage =
  | { readonly kind: 'starting' }
  /** Another window or tab of this device holds the keys; `replaced`: the same keys connected from another place. */
  | { readonly kind: 'elsewhere'; readonly replaced: boolean }
  /** The device's storage cannot be used (private mode, disk full, corrupted). */
  | { readonly kind: 'storage-failed' }
  /** No account on this device: join by invitation, or sign in. */
  | { readonly kind: 'welcome' }
  /** The account is here, the session is not. Signing in again continues where it was. `ended`: nobody signed out here. */
  | { readonly kind: 'signed-out'; readonly username: string; readonly ended: boolean }
  /** Signed in on a new device that waits to be linked by an existing one, which shows the same code. */
  | { readonly kind: 'linking'; readonly account: Account; readonly code: string; readonly expiresAt: number }
  /** Linked; waits for what the approving device hands over. `late`: longer than that takes. */
  | { readonly kind: 'receiving'; readonly account: Account; readonly late: boolean }
  /** The server showed another account key, or a list of devices that does not hold: nothing is linked. */
  | { readonly kind: 'link-refused' }
  | { readonly kind: 'ready'; readonly account: Account };

/**
 * `device-unknown`: the server does not know the device whose keys are here; the person is asked before others take their
 * place. `key-holder-unknown`: the same, but they include the account key, which nothing can replace.
 */
export type SignInOutcome = 'signed-in' | 'device-unknown' | 'key-holder-unknown';

export interface InvitationInfo {
  readonly role: Role;
  readonly organisation: string;
  readonly expiresAt: number;
}

/** Whose password a link is for. */
export interface ResetInfo {
  readonly username: string;
  readonly organisation: string;
  readonly expiresAt: number;
}

/** What administrators do with other people's accounts. */
export interface AdministrationController {
  /** A page of accounts in the directory's order, after the one named; `more`: there are further ones. */
  people(
    text: string,
    after: UserId | null,
  ): Promise<{ readonly people: readonly ManagedPerson[]; readonly more: boolean }>;
  suspend(userId: UserId): Promise<void>;
  reinstate(userId: UserId): Promise<void>;
  remove(userId: UserId): Promise<void>;
  /** The whole link to a new password, and when it ends. */
  resetPassword(userId: UserId): Promise<{ readonly link: string; readonly expiresAt: number }>;
}

/** Methods reject with ProtocolError or OfflineError; the screens word them (`i18n/errors.ts`). */
export interface AccountsController {
  readonly stage: AccountStage;
  checkInvitation(token: string): Promise<InvitationInfo>;
  signUp(input: {
    readonly invitation: string;
    readonly displayName: string;
    readonly username: string;
    readonly password: string;
  }): Promise<void>;
  /** `replaceDevice`: asks for new keys to be linked in place of those that are here; they stay until that is done. */
  signIn(input: {
    readonly username: string;
    readonly password: string;
    readonly replaceDevice?: boolean;
  }): Promise<SignInOutcome>;
  /** Ends the session; keys and history stay on the device, encrypted, for the next sign-in. */
  signOut(): Promise<void>;
  /** From `elsewhere`: takes over from the other window. */
  useHere(): Promise<void>;
  /** From `linking`, `receiving` and `link-refused`: gives up and goes back to `welcome`. */
  cancelLinking(): Promise<void>;
  changePassword(input: { readonly current: string; readonly password: string }): Promise<void>;
  checkReset(token: string): Promise<ResetInfo>;
  completeReset(input: { readonly reset: string; readonly password: string }): Promise<void>;
  readonly administration: AdministrationController;
  sessions(): Promise<readonly Session[]>;
  revokeSession(sessionId: SessionId): Promise<void>;
  /** Ends every other session that knows the password alone: none of a device on the account's list. */
  endUnlinkedSessions(): Promise<void>;
  /** Administrators: complete links to give to people. */
  createInvitations(input: {
    readonly count: number;
    readonly role: Role;
    readonly validHours: number;
  }): Promise<readonly string[]>;
}
