import { Dexie } from 'dexie';
import type { Table } from 'dexie';
import type { CallId, MessageId, UserId } from '../../protocol/ids.ts';
import type { StorageOptions } from './registry.ts';
import { placeCalls } from './place-calls.ts';
import { repairPositions } from './repair-positions.ts';

type Sealed = Uint8Array<ArrayBuffer>;

/**
 * `device`: DeviceSecrets. `account`: the account key. `next-prekey`: PrekeyState. `sign-up`, `link`: the request under way.
 * `own-list`: OwnListRecord. `hand-over-due`: the devices that this one still has to hand its pins over to. `hand-over/…`: a part that has come of
 * the one that this device waits for.
 */
export type SecretName =
  | 'device'
  | 'account'
  | 'next-prekey'
  | 'sign-up'
  | 'link'
  | 'own-list'
  | 'hand-over-due'
  | `hand-over/${number}`;

export interface PersonRow {
  readonly userId: UserId;
  readonly sealed: Sealed;
}

export interface PrekeyRow {
  readonly keyId: number;
  readonly sealed: Sealed;
  /** Milliseconds since the Unix epoch. */
  readonly madeAt: number;
}

export interface MessageRow {
  readonly messageId: MessageId;
  readonly conversation: UserId;
  readonly order: number;
  readonly sealed: Sealed;
}

export interface OutboxRow {
  /** Given by the database: the order of writing. */
  readonly seq?: number;
  readonly messageId: MessageId;
  readonly conversation: UserId;
  /** 0: waits for the person, after a failure. */
  readonly waiting: 0 | 1;
  readonly sealed: Sealed;
}

export interface SessionRow {
  /** `addressKey` of the device. */
  readonly address: string;
  readonly sealed: Sealed;
  /** Something from that device could not be read: the next send begins a new session. */
  readonly renew?: boolean;
}

/** An envelope that was taken in: by sending device and message id. */
export interface SeenRow {
  readonly envelope: string;
  readonly at: number;
  readonly readable: boolean;
}

/** A receipt that is due to the sender of a message. */
export interface ReceiptRow {
  readonly messageId: MessageId;
  readonly conversation: UserId;
  readonly state: 'delivered' | 'read';
}

/** Where the entry of a call is. */
export interface CallRow {
  /** Conversation and call id: a call id that another person names again is another call. */
  readonly call: string;
  readonly callId: CallId;
  readonly messageId: MessageId;
  readonly ongoing: 0 | 1;
  /** When it was made here. Milliseconds since the Unix epoch. */
  readonly at: number;
  /** The same, while the entry is there on the server's word: nothing of the call came by the encrypted way. */
  readonly unannounced?: number | undefined;
}

/** A message that has not been seen. */
export interface UnreadRow {
  readonly messageId: MessageId;
  readonly conversation: UserId;
  /** Whether its sender is to be told once it is read. Not in rows of earlier versions. */
  readonly confirm?: boolean;
}

/**
 * Everything of one account on this device. Whatever is sensitive is in `sealed` (crypto/at-rest.ts); in the clear, and
 * in the indexes, are only ids, order numbers and times.
 *
 * Chromium's transactions are `strict` here: done means written to the disk, since what is acknowledged to the server is
 * deleted there, and a ratchet that falls back after a power cut would use a key twice.
 */
export class ProfileDatabase extends Dexie {
  declare readonly secrets: Table<{ readonly name: SecretName; readonly sealed: Sealed }, SecretName>;
  declare readonly prekeys: Table<PrekeyRow, number>;
  declare readonly signedPrekeys: Table<{ readonly keyId: number; readonly sealed: Sealed }, number>;
  declare readonly sessions: Table<SessionRow, string>;
  declare readonly identities: Table<{ readonly address: string; readonly sealed: Sealed }, string>;
  declare readonly peers: Table<{ readonly userId: UserId; readonly sealed: Sealed }, UserId>;
  declare readonly pins: Table<{ readonly userId: UserId; readonly sealed: Sealed }, UserId>;
  declare readonly people: Table<PersonRow, UserId>;
  declare readonly conversations: Table<{ readonly userId: UserId; readonly sealed: Sealed }, UserId>;
  declare readonly messages: Table<MessageRow, MessageId>;
  declare readonly unread: Table<UnreadRow, MessageId>;
  declare readonly receipts: Table<ReceiptRow, MessageId>;
  declare readonly outbox: Table<OutboxRow, number>;
  declare readonly calls: Table<CallRow, string>;
  declare readonly seen: Table<SeenRow, string>;

  constructor(profileId: string, options: StorageOptions) {
    super(`teahouse-${profileId}`, { ...options, chromeTransactionDurability: 'strict' });
    this.version(1).stores({
      secrets: 'name',
      prekeys: 'keyId',
      signedPrekeys: 'keyId',
      sessions: 'address',
      identities: 'address',
      peers: 'userId',
      people: 'userId',
      conversations: 'userId',
      messages: 'messageId, [conversation+order]',
      unread: 'messageId, conversation',
      receipts: 'messageId, conversation',
      outbox: '++seq, &messageId, [waiting+conversation]',
      calls: 'call, ongoing',
      seen: 'envelope, at',
    });
    // What is pinned of people besides their device lists, and the age of one-time prekeys.
    this.version(2)
      .stores({ pins: 'userId', prekeys: 'keyId, madeAt' })
      .upgrade((trx) => trx.table('prekeys').toCollection().modify({ madeAt: Date.now() }));
    // Positions that a hostile server had made up.
    this.version(4).upgrade((transaction) => repairPositions(transaction, Date.now()));
    // Calls by their age and in turns, however many there are.
    this.version(5)
      .stores({ calls: 'call, [ongoing+call], at, unannounced' })
      .upgrade((transaction) => placeCalls(transaction, Date.now()));
  }
}
