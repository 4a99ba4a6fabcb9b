import type { CallId, UserId } from '../../../protocol/ids.ts';
import type { CallMedia } from '../../../protocol/chat.ts';
import type { ParticipantState } from '../../../protocol/calls.ts';
import type { Person } from '../../../protocol/contacts.ts';

/** One person in the call view. Streams are null while nothing of that kind is sent. */
export interface Tile {
  readonly person: Person;
  readonly self: boolean;
  readonly state: ParticipantState;
  readonly camera: MediaStream | null;
  readonly screen: MediaStream | null;
  readonly audio: MediaStream | null;
  /** What the shared screen plays. */
  readonly screenAudio: MediaStream | null;
  readonly muted: boolean;
  readonly speaking: boolean;
}

export interface IncomingCall {
  readonly callId: CallId;
  readonly media: CallMedia;
  readonly from: Person;
  readonly others: readonly Person[];
}

export interface DeviceChoice {
  readonly deviceId: string;
  readonly label: string;
}

/** What other modules may ask of calls. */
export interface CallsApi {
  /** Starts a call with one person and opens the call view. */
  start(userId: UserId, media: CallMedia): Promise<void>;
}

/** Something the person should know about a call that did not come about or has just ended. */
export interface CallNotice {
  readonly kind:
    | 'offline'
    | 'full'
    | 'ended'
    | 'moved'
    | 'lost'
    | 'failed'
    | 'too-many'
    | 'too-often'
    | 'declined'
    | 'busy'
    | 'unanswered';
  /** The other person's display name; may be empty. */
  readonly name: string;
}

export type CallStage =
  | { readonly kind: 'idle' }
  | { readonly kind: 'ringing-out' }
  | { readonly kind: 'joining' }
  | { readonly kind: 'joined'; readonly since: number }
  | { readonly kind: 'reconnecting' }
  /** The server answers but has not carried sound and picture for a while; attempts go on. */
  | { readonly kind: 'media-down' };

export interface CallsController extends CallsApi {
  readonly stage: CallStage;
  /** What the present call is for; null while there is none. */
  readonly media: CallMedia | null;
  /** The call goes on while another part of the app is used. */
  readonly minimised: boolean;
  readonly notice: CallNotice | null;
  readonly incoming: IncomingCall | null;
  /** Calls this person may still come back to. */
  readonly rejoinable: readonly IncomingCall[];
  /** Calls in which at least two people are now, here or elsewhere. */
  readonly goingOn: ReadonlySet<CallId>;
  readonly tiles: readonly Tile[];
  readonly muted: boolean;
  readonly cameraOn: boolean;
  readonly sharing: boolean;
  /** Why there is no picture or sound of one's own: refused permission, no device, in use. Null when all is well. */
  readonly mediaProblem: 'permission' | 'missing' | 'busy' | null;
  readonly microphones: readonly DeviceChoice[];
  readonly cameras: readonly DeviceChoice[];
  readonly speakers: readonly DeviceChoice[];
  readonly chosen: { readonly microphone: string; readonly camera: string; readonly speaker: string };
  accept(): Promise<void>;
  decline(): Promise<void>;
  rejoin(callId: CallId): Promise<void>;
  invite(users: readonly UserId[]): Promise<void>;
  toggleMute(): Promise<void>;
  toggleCamera(): Promise<void>;
  toggleShare(): Promise<void>;
  choose(kind: 'microphone' | 'camera' | 'speaker', deviceId: string): Promise<void>;
  /** Tries at once to get sound and picture back, in the stage `media-down`. */
  retryMedia(): void;
  leave(): Promise<void>;
  minimise(): void;
  restore(): void;
  dismissNotice(): void;
  /**
   * The view tells at which size a person's picture is shown, in device pixels, or that it is not shown (null), so that
   * no more than that is sent to this device.
   */
  show(
    userId: UserId,
    source: 'camera' | 'screen',
    size: { readonly width: number; readonly height: number } | null,
  ): void;
  /** Tells a person whose window is hidden that a call comes in; the words are the interface's. */
  notifyIncoming(words: { readonly title: string; readonly body: string }): void;
}
