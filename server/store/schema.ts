import type { Generated, Kysely, Transaction } from 'kysely';
import type { AccountStatus, Role } from '../../protocol/accounts.ts';
import type { DeviceId, SessionId, UserId } from '../../protocol/ids.ts';

/** Times are milliseconds since the Unix epoch; keys and signatures are base64 as on the wire; `*Hash` is SHA-256 in hex. */
export interface Schema {
  counters: { name: string; value: number };
  accounts: {
    userId: UserId;
    username: string;
    displayName: string;
    /** The display name as the directory orders it. */
    sortName: string;
    role: Role;
    /** PHC string of argon2id. */
    passwordHash: string;
    accountKey: string;
    createdAt: number;
    status: Generated<AccountStatus>;
    /** What names that look alike have in common; null where several people had one such name before it was unique. */
    nameSkeleton: string | null;
    /** The same of usernames; null where another had one that looks like it before that was asked. */
    usernameSkeleton: string | null;
    /** The signed profile; all three are null until there is one. */
    profileVersion: number | null;
    profilePayload: string | null;
    profileSignature: string | null;
  };
  /** The words by which the directory finds an account. */
  accountWords: { word: string; userId: UserId };
  sessions: {
    sessionId: SessionId;
    tokenHash: string;
    userId: UserId;
    deviceId: DeviceId | null;
    client: string;
    createdAt: number;
    lastSeenAt: number;
  };
  invitations: {
    tokenHash: string;
    role: Role;
    createdBy: UserId | null;
    /** Names the request that made it, so that a repeat of the request is recognised. */
    requestId: string | null;
    createdAt: number;
    expiresAt: number;
    usedBy: UserId | null;
    usedAt: number | null;
  };
  deviceLists: {
    userId: UserId;
    version: number;
    accountKey: string;
    payload: string;
    signature: string;
    /** 1: the account is suspended or a guest's, and takes no messages. */
    suspended: Generated<number>;
  };
  /** At most one for each account. */
  passwordResets: {
    tokenHash: string;
    userId: UserId;
    /** Null: by the command line. */
    createdBy: UserId | null;
    createdAt: number;
    expiresAt: number;
    usedAt: number | null;
  };
  /** Ended by another process; the server closes their connections. */
  endedSessions: { sessionId: SessionId };
  /** What was done on the command line and the server has not written to its log yet. */
  commandActs: {
    actId: string;
    action: string;
    of: UserId | null;
    role: Role | null;
    count: number | null;
    at: number;
  };
  devices: {
    userId: UserId;
    deviceId: DeviceId;
    registrationId: number;
    identityKey: string;
    authenticationKey: string;
    signedPrekeyId: number;
    signedPrekey: string;
    signedPrekeySignature: string;
    signedPrekeyAt: number;
    addedAt: number;
  };
  prekeys: { userId: UserId; deviceId: DeviceId; keyId: number; publicKey: string };
  linkRequests: {
    userId: UserId;
    deviceId: DeviceId;
    sessionId: SessionId;
    /** JSON text of a NewDevice. */
    device: string;
    requestedAt: number;
    expiresAt: number;
  };
  messages: {
    /** Microseconds; strictly increasing over the whole server. */
    position: number;
    messageId: string;
    senderUserId: UserId;
    senderDeviceId: DeviceId;
    payload: Uint8Array;
  };
  /** What each device has yet to acknowledge. */
  queue: {
    userId: UserId;
    deviceId: DeviceId;
    position: number;
    keyType: 'message' | 'prekey';
    keyBody: Uint8Array;
    /** Of the key and the payload: what this copy costs if it is the only one. */
    bytes: number;
  };
  /** What waits for each device. Under device 0: what the account has sent and others have yet to fetch, with every key. */
  queueUse: {
    userId: UserId;
    deviceId: number;
    bytes: number;
    messages: number;
    /** Copies that were not kept for the device, as long as its owner has not been told. */
    expired: number;
    /** Under device 0: answers of the account that are kept for repeats. */
    answers: Generated<number>;
  };
  /** First answers of keyed requests. `scope` is who asked. */
  idempotency: { scope: string; id: string; method: string; result: string; createdAt: number };
  /** Which of them are long. */
  largeAnswers: {
    scope: string;
    id: string;
    /** The account of the scope; the scope itself where nobody has signed in. */
    owner: string;
    createdAt: number;
  };
}

export type Database = Kysely<Schema>;
export type Trx = Transaction<Schema>;
