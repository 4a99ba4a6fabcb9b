import type { Account } from '../../protocol/accounts.ts';
import type { CallMedia, Envelope, send } from '../../protocol/chat.ts';
import type { Person } from '../../protocol/contacts.ts';
import type {
  ListedDevice,
  NewDevice,
  PrekeyBundle,
  publishPrekeys,
  SignedDeviceList,
} from '../../protocol/devices.ts';
import type { ErrorCode } from '../../protocol/errors.ts';
import type { CallId, DeviceAddress, DeviceId, IdempotencyId, MessageId, UserId } from '../../protocol/ids.ts';
import type { ParamsOf } from '../../protocol/method.ts';
import type { SignedProfile } from '../../protocol/profile.ts';
import type { SecretStore } from '../host/host.ts';
import type { CallOutcome, Message } from '../modules/chat/model.ts';
import type { KnownPerson } from '../modules/contacts/model.ts';
import type { HomeServer } from './profiles.ts';

/** What this device holds. */
export type Standing =
  | { readonly kind: 'empty' }
  /** Signed in on a new device: no list names it yet, or what the approving device hands over has not come. */
  | {
      readonly kind: 'linking';
      readonly account: Account;
      readonly session: string;
      readonly awaits: 'approval' | 'hand-over';
    }
  | { readonly kind: 'ready'; readonly account: Account; readonly deviceId: DeviceId; readonly session: string | null };

export interface PreparedSignUp {
  readonly userId: UserId;
  readonly idempotencyId: IdempotencyId;
  readonly device: NewDevice;
  readonly deviceList: SignedDeviceList;
  /** Absent from a request that an earlier version began. */
  readonly profile?: SignedProfile;
}

export interface PreparedLink {
  readonly idempotencyId: IdempotencyId;
  readonly device: NewDevice;
  /** What both devices show, for the person to compare. */
  readonly code: string;
}

/** What became of a list that is said to name this device. */
export type LinkOutcome =
  | { readonly kind: 'linked'; readonly standing: Standing }
  /** It does not name it, or not with its own keys. */
  | { readonly kind: 'waiting' }
  /** Not signed by the account key that the code was made with, or older than one seen. */
  | { readonly kind: 'refused' };

/** `add`: exactly this device, whose code (`linkCode`) the person compared. `renew`: the same devices, with a new date. */
export type OwnListChange =
  | { readonly add: ListedDevice; readonly code: string }
  | { readonly remove: DeviceId }
  | { readonly renew: true };

/**
 * Why nothing can be exchanged with a person: their published keys contradict what this device saw before, or what it saw
 * cannot be read any more.
 */
export type TrustProblem = 'account-key-changed' | 'device-list-rolled-back' | 'keys-damaged';

export interface ConversationSummary {
  readonly userId: UserId;
  readonly last: Message | null;
  readonly unread: number;
  readonly draft: string;
  readonly problem: TrustProblem | null;
  /** When the person's own device signed their pinned device list. Milliseconds since the Unix epoch. */
  readonly listIssuedAt?: number | undefined;
}

/** What an operation changed of what is shown; already durable when it is told. */
export interface ChatChanges {
  readonly messages: readonly Message[];
  readonly removed: readonly MessageId[];
  readonly conversations: readonly ConversationSummary[];
}

/** `through`: more is left of what was unread at the first turn; given to the next. Null when that is done. */
export interface ReadTurn extends ChatChanges {
  readonly through: MessageId | null;
}

/** Some of the calls whose entry says `ongoing`. `next`: where the rest begins, null if there is none. */
export interface OngoingCalls {
  readonly calls: readonly {
    readonly conversation: UserId;
    readonly callId: CallId;
    readonly media: CallMedia;
    readonly mine: boolean;
  }[];
  readonly next: string | null;
}

export interface MessagePage {
  /** Oldest first. */
  readonly messages: readonly Message[];
  readonly more: boolean;
}

export interface ReceiveOutcome {
  /** Queue ids that are durable (or never will be readable) and may be acknowledged. */
  readonly acknowledge: readonly number[];
  readonly changes: ChatChanges;
  /** Messages that are new here, for a notification: of others, not receipts, not copies of one's own. */
  readonly arrived: readonly Message[];
  /** `addressKey` of the devices of which something could not be read. */
  readonly refused: readonly string[];
  /** `addressKey` of the device whose envelopes have used up the turn, if one has: others go first. */
  readonly costly: readonly string[];
  /** Set if the next envelope (the one after those acknowledged) needs device lists first: of these people, who come next. */
  readonly needLists: readonly UserId[] | null;
  /** People of whom nothing is known: too many in this hour, or with a list of the future. Theirs was left, for later. */
  readonly held: readonly UserId[];
  /** How many of those acknowledged came of nobody that is known, nor has a device list, and left nothing. */
  readonly dropped: number;
}

/** What is sent, byte for byte. */
export interface SealedItem {
  readonly messageId: MessageId;
  readonly params: ParamsOf<typeof send>;
}

/** Why an item cannot be sealed now. */
export type Unsealable =
  | { readonly kind: 'need-lists'; readonly messageId: MessageId; readonly users: readonly UserId[] }
  | { readonly kind: 'need-bundles'; readonly messageId: MessageId; readonly devices: readonly DeviceAddress[] }
  /** Not to be sent: the person's keys are in doubt, or (null) do not serve. */
  | { readonly kind: 'refused'; readonly messageId: MessageId; readonly problem: TrustProblem | null };

/** The oldest items of a conversation's outbox that were not under way. */
export interface Waiting {
  /** Ready to be sent, in this order. */
  readonly sealed: readonly SealedItem[];
  /** What the item after them lacks; null if it was not looked at. */
  readonly next: Unsealable | null;
  /** True if there may be more behind them. */
  readonly more: boolean;
}

/** A send that the server accepted. */
export interface Accepted {
  readonly messageId: MessageId;
  readonly position: number;
}

/** What became of a message of one's own. */
export interface Enqueued {
  readonly changes: ChatChanges;
  /** Ready to be sent, if nothing waits before it and all that sealing needs was at hand. */
  readonly sealed: SealedItem | null;
}

/** A change of one's own device list: signed, not yet accepted by the server. */
export interface ListChange {
  readonly idempotencyId: IdempotencyId;
  readonly list: SignedDeviceList;
}

export interface OwnDevices {
  readonly devices: readonly ListedDevice[];
  /** Whether this device holds the account key. */
  readonly canSign: boolean;
  /** Those that were removed here: none is linked again under its old id. */
  readonly removed: readonly DeviceId[];
  /** Whether the list that the server shows is older than the one that holds here. */
  readonly unpublished: boolean;
}

/** What the prekey upkeep wants published; null when all is well. */
export type PrekeyPublication = ParamsOf<typeof publishPrekeys>;

/**
 * All keys, sessions and history of this device. Runs in the one worker of the one window that owns them; every method
 * is one operation, done one after the other, and durable when it resolves. Failures of storage reject.
 */
export interface Vault {
  /**
   * Opens the storage and picks the account used last at the server `home.origin`; accounts at other servers stay closed.
   * Asks the shell's secret store for the key at rest, if there is one.
   */
  open(secrets: SecretStore | null, home: HomeServer): Promise<Standing>;
  close(): Promise<void>;
  /**
   * Resolves with whether this device's storage fails, once that is not `known`. While it does, every operation rejects
   * with `StorageFailedError`; the vault tries again by itself.
   */
  storageChange(known: boolean): Promise<boolean>;
  /** Writes something to see whether the storage takes it. Throws `StorageFailedError` if not. */
  checkStorage(): Promise<void>;
  standing(): Promise<Standing>;

  /** Makes (or finds, after an answer was lost) the keys of a new account; the same input gives the same request. */
  prepareSignUp(input: {
    readonly invitation: string;
    readonly username: string;
    readonly displayName: string;
    readonly deviceName: string;
  }): Promise<PreparedSignUp>;
  /** The server refused: the next attempt is another request. */
  signUpRefused(): Promise<void>;
  /** A signature of the challenge by the device that this account has here; null if it has none. Makes it the current one. */
  signInProof(input: {
    readonly username: string;
    readonly challenge: string;
  }): Promise<{ readonly deviceId: DeviceId; readonly proof: string } | null>;
  /** Signed up or in with the device prepared for it. */
  signedIn(input: { readonly account: Account; readonly session: string }): Promise<Standing>;
  /** Forgets the session token; keys and history stay, sealed. */
  signedOut(): Promise<void>;
  /** What this device holds of an account: nothing, keys of its own, or the account key besides. Opens the account. */
  deviceHeld(username: string): Promise<'none' | 'device' | 'key-holder'>;
  /**
   * Signed in without a device: it waits to be linked from here on. `session` replaces the one kept. Rejects if this
   * device has keys of the account, unless `replaceDevice`: then they, and the history, stay until others are linked
   * in their place. The device that holds the account key cannot be replaced.
   */
  beginLink(input: {
    readonly account: Account;
    readonly session: string;
    readonly replaceDevice: boolean;
  }): Promise<Standing>;
  /**
   * Makes (or finds) the keys to be linked. `list`: the account's own, as the server gives it; its account key goes into
   * the code, and from then on no other is accepted. Null if the list does not hold, or is signed by another key.
   */
  prepareLink(input: { readonly deviceName: string; readonly list: SignedDeviceList }): Promise<PreparedLink | null>;
  /** The list that is said to name this device now. */
  completeLink(list: SignedDeviceList): Promise<LinkOutcome>;
  /** Whether everything was handed over: then the device is ready. Called after envelopes of own devices were received. */
  completeHandOver(): Promise<Standing>;
  /** Throws the keys that were to be linked away. Those from before, and a history, stay. */
  abandonLink(): Promise<void>;

  /** Verifies lists against what was pinned, and pins them. Refused ones become the conversation's `problem`. */
  updateLists(input: {
    readonly lists: readonly SignedDeviceList[];
    readonly asked: readonly UserId[];
  }): Promise<ChatChanges>;
  /** Of these people, those whose pinned list is older than the version named. */
  outdatedLists(known: readonly { readonly userId: UserId; readonly version: number }[]): Promise<readonly UserId[]>;
  /** This account's verified devices, without those that were removed. */
  ownDevices(): Promise<OwnDevices>;
  /** The code of a device that asks to be linked, with the account key that is pinned here. */
  linkCode(device: ListedDevice): Promise<string>;
  /**
   * Signs the next version of the own list. Take the newest list first. Rejects if the code is not the device's: what is
   * signed is what was compared. A device that is added gets a hand-over, once the new list comes back by `updateLists`.
   * What was signed is kept until `listPublished` or `listRefused`; a removal holds here from now on, whatever comes of it.
   */
  changeOwnList(change: OwnListChange): Promise<ListChange>;
  /**
   * A list that the server has to be given: one that was signed and never confirmed, one that lacks a removed device, one
   * that is signed anew since it is due, or the pinned one if the server shows an older one. Null if all is well.
   */
  listToPublish(): Promise<ListChange | null>;
  /** The server says that it has taken it. */
  listPublished(change: ListChange): Promise<void>;
  /** The server will never take it: it is not offered again, and the next one has a later version. */
  listRefused(change: ListChange): Promise<void>;

  startSessions(bundles: readonly PrekeyBundle[]): Promise<void>;
  /**
   * Given the server's count of one-time prekeys: what to publish. The private halves are durable by then. What was not
   * confirmed to be published is offered again as it was; and no more than so many keys are made in a day.
   */
  prekeysToPublish(remaining: number): Promise<PrekeyPublication | null>;
  prekeysPublished(publication: PrekeyPublication): Promise<void>;
  /** The server took these keys for unfit: they are not offered again. */
  prekeysRefused(publication: PrekeyPublication): Promise<void>;

  people(): Promise<readonly KnownPerson[]>;
  /**
   * Takes in what the server says of people: verifies their signed profiles, pins keys and names, and returns them as they
   * are to be shown.
   */
  learnPeople(people: readonly Person[]): Promise<readonly KnownPerson[]>;
  /**
   * Forgets those of these people with whom there is neither a conversation nor a device list, and returns them. What is
   * pinned of them stays, but for mere names where a server has made this device pin too many.
   */
  forgetPeople(users: readonly UserId[]): Promise<readonly UserId[]>;
  dismissNameChange(userId: UserId): Promise<void>;
  /**
   * The own signed profile, if it is not what the server shows of this account, and this device holds the account key.
   * Signs the first one with the names that this device knows as its own.
   */
  profileToPublish(published: Person | null): Promise<SignedProfile | null>;

  conversations(): Promise<readonly ConversationSummary[]>;
  /** The newest page before `before` (an order; null: the newest of all). */
  messages(input: {
    readonly conversation: UserId;
    readonly before: number | null;
    readonly limit: number;
  }): Promise<MessagePage>;
  /** The newest entries of calls, of all conversations, newest first. */
  recentCalls(limit: number): Promise<readonly Message[]>;
  setDraft(input: { readonly conversation: UserId; readonly text: string }): Promise<void>;
  /**
   * Everything received in this conversation has been seen: receipts become due. A bounded number in one turn; further
   * turns, with the `through` of the one before, do the rest of what was there at the first, and nothing that came later.
   */
  markRead(conversation: UserId, through?: MessageId | null): Promise<ReadTurn>;

  /**
   * Envelopes of each device in the order of the queue. Takes in one at least, unless all are held, and may leave the others
   * for the next turn, so that nothing else waits long. `listsChecked`: people whose lists were fetched for them just now.
   */
  receive(input: {
    readonly envelopes: readonly Envelope[];
    readonly listsChecked: readonly UserId[];
  }): Promise<ReceiveOutcome>;

  /** Writes a message of one's own and its place in the outbox. `messageId` is new (`newMessageId`). */
  enqueueText(input: {
    readonly conversation: UserId;
    readonly messageId: MessageId;
    readonly text: string;
    /** Milliseconds since the Unix epoch. */
    readonly sentAt: number;
  }): Promise<Enqueued>;
  enqueueCall(input: {
    readonly conversation: UserId;
    readonly callId: CallId;
    readonly media: CallMedia;
  }): Promise<Enqueued>;
  /**
   * Sets a call's outcome, unless something more certain is known already. Where nothing came of the call by the encrypted
   * way it makes an entry, of which few are kept.
   */
  endCall(input: {
    readonly conversation: UserId;
    readonly callId: CallId;
    readonly media: CallMedia;
    readonly outcome: CallOutcome;
    readonly durationMs: number | null;
  }): Promise<ChatChanges>;
  /** Calls whose entry still says `ongoing`, a bounded number in one turn, from `next` of the turn before on. */
  ongoingCalls(after?: string | null): Promise<OngoingCalls>;
  /** These are over: those whose entry still says `ongoing` were missed, or one's own not answered. */
  settleCalls(over: readonly { readonly conversation: UserId; readonly callId: CallId }[]): Promise<ChatChanges>;

  /** Moves receipts that are due into the outbox, a bounded number in one turn. True if there may be more. */
  collectReceipts(): Promise<boolean>;
  /** Conversations that have something to send. */
  outbox(): Promise<readonly UserId[]>;
  /**
   * Seals the oldest waiting items of a conversation, in one transaction, or finds them sealed already: then the very same
   * bytes are sent again. Leaves out those in `underWay`, and seals those in `again` anew, which the
   * server refused for a stale device list.
   */
  sealWaiting(input: {
    readonly conversation: UserId;
    readonly underWay: readonly MessageId[];
    readonly again: readonly MessageId[];
    /** Most items at once. */
    readonly limit: number;
  }): Promise<Waiting>;
  /** The server accepted one, or several. */
  sent(accepted: Accepted | readonly Accepted[]): Promise<ChatChanges>;
  /**
   * It waits for the person; receipts are due again. `failure`: why the server did not take it, if it has said so.
   */
  sendFailed(messageId: MessageId, failure?: ErrorCode): Promise<ChatChanges>;
  retry(messageId: MessageId): Promise<ChatChanges>;
  discard(messageId: MessageId): Promise<ChatChanges>;
}
