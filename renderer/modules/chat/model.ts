import type { CallId, MessageId, UserId } from '../../../protocol/ids.ts';
import type { CallMedia } from '../../../protocol/chat.ts';
import type { ErrorCode } from '../../../protocol/errors.ts';
import type { KnownPerson } from '../contacts/model.ts';
import type { MissedCounts } from './missed-messages.svelte.ts';

/** What happened to a message of one's own, in this order; `failed` waits for the person. */
export type DeliveryState = 'queued' | 'sent' | 'delivered' | 'read' | 'failed';

export type MessageBody =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'call';
      readonly callId: CallId;
      readonly media: CallMedia;
      readonly outcome: CallOutcome;
      readonly durationMs: number | null;
    }
  /** An envelope that could not be decrypted: shown, never silently dropped. */
  | { readonly kind: 'unreadable' };

export type CallOutcome = 'ongoing' | 'answered' | 'missed' | 'declined' | 'cancelled' | 'unanswered';

export interface Message {
  readonly messageId: MessageId;
  /** The other person: conversations in this version are between two people. */
  readonly conversation: UserId;
  readonly sender: UserId;
  readonly mine: boolean;
  readonly body: MessageBody;
  /** By the sender's clock, ms since the epoch. */
  readonly sentAt: number;
  /** Sort key. The server's position once known; above every position while queued. */
  readonly order: number;
  /** Null for messages of others. */
  readonly state: DeliveryState | null;
  /** Why the server did not take it, where `state` is `failed` and the server has said so. */
  readonly failure?: ErrorCode | undefined;
}

export interface Conversation {
  readonly userId: UserId;
  readonly person: KnownPerson;
  readonly last: Message | null;
  readonly unread: number;
  readonly draft: string;
  /**
   * Why nothing can be sent or read here: what the server says of the person's keys contradicts what this device saw
   * before, so somebody may be between. Null when all is well.
   */
  readonly problem: 'account-key-changed' | 'device-list-rolled-back' | 'keys-damaged' | null;
  /** Why the server takes nothing for now. What is written waits, and is sent by itself later. */
  readonly heldBack?: ErrorCode | undefined;
  /** When the person's own device last confirmed their list of devices. Milliseconds since the Unix epoch. */
  readonly listIssuedAt?: number | undefined;
}

export interface ChatController {
  /** Newest first. Reactive, as is everything below. */
  readonly conversations: readonly Conversation[];
  readonly opened: Conversation | null;
  /** Of the opened conversation, oldest first: the newest page, and older ones as `loadOlder` brings them. */
  readonly messages: readonly Message[];
  readonly hasOlder: boolean;
  readonly loading: boolean;
  /** What the server did not keep for the account's devices. */
  readonly missed: MissedCounts;
  /** All unread messages, for the rail and the window's badge. */
  readonly unread: number;
  open(userId: UserId): Promise<void>;
  close(): void;
  loadOlder(): Promise<void>;
  /** The newest call entries of all conversations, newest first, at most `limit`. */
  recentCalls(limit: number): Promise<readonly Message[]>;
  /** Durable before it resolves; goes out in order, now or when there is a connection. */
  send(text: string): Promise<void>;
  retry(messageId: MessageId): Promise<void>;
  discard(messageId: MessageId): Promise<void>;
  setDraft(text: string): void;
  /** The person has read what `missed` says. */
  dismissMissed(): Promise<void>;
  /** Of the opened conversation: the change of the person's name has been seen. */
  dismissNameChange(): Promise<void>;
  /** Whether the person sees the end of the opened conversation: what is there, and what comes meanwhile, is read. */
  watch(seesEnd: boolean): void;
  /** Writes the entry of a call and tells the other person's devices (`call` content). */
  callStarted(userId: UserId, callId: CallId, media: CallMedia): Promise<void>;
  /** Sets the outcome of a call's entry (its own device's view); creates the entry where it is missing. */
  callEnded(
    userId: UserId,
    callId: CallId,
    media: CallMedia,
    outcome: CallOutcome,
    durationMs: number | null,
  ): Promise<void>;
}
