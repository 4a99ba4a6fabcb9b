import * as wire from '../../../protocol/calls.ts';
import { REJOIN_MS, type Call, type ParticipantId } from '../../../protocol/calls.ts';
import type { CallMedia } from '../../../protocol/chat.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { CallId, DeviceId, UserId } from '../../../protocol/ids.ts';
import { topCameraLayer } from '../../media/encodings.ts';
import type { MediaEngine } from '../../media/engine.ts';
import type { PixelSize } from '../../media/layers.ts';
import type { LocalMedia } from '../../media/local-media.svelte.ts';
import type { Connection } from '../../net/connection.ts';
import { isLostAnswer, isPassing } from '../../net/retrying.ts';
import { isOnOtherDevice, isPresent, othersOf, participantOf } from './call-book.ts';
import { CallSession, freshId, showKey } from './call-session.svelte.ts';
import { MediaLosses } from './media-losses.ts';
import type { CallNotice, CallStage } from './model.ts';

/** The server gives up on a participant after REJOIN_MS; the answer to the last attempt may come a little later. */
const GIVE_UP_MS = REJOIN_MS + 5_000;

/** Why a call is over for this device; null where there is nothing to tell. */
export type CallOver = CallNotice['kind'] | null;

export interface CurrentCallOptions {
  readonly callId: CallId;
  readonly media: CallMedia;
  /** In whose conversation the call is entered. */
  readonly peer: UserId;
  readonly outgoing: boolean;
  readonly self: { readonly userId: UserId; readonly deviceId: DeviceId };
  readonly connection: Connection;
  readonly engine: MediaEngine;
  readonly local: LocalMedia;
  /** Takes in the call as the join's answer describes it. */
  readonly onCall: (call: Call) => void;
  /** Called at most once, and not after `close`. */
  readonly onOver: (why: CallOver) => void;
}

/** The call this device is in, from the click that starts or accepts it to its end. Reactive. */
export class CurrentCall {
  readonly options: CurrentCallOptions;
  /** Milliseconds since the Unix epoch. */
  readonly begunAt = Date.now();
  #phase = $state<'joining' | 'joined' | 'reconnecting'>('joining');
  /** The line is up, but the server has not carried media for several attempts. */
  #mediaDown = $state(false);
  #answeredAt = $state<number | null>(null);
  #joinedAt = $state(0);
  #session = $state.raw<CallSession | null>(null);
  /** The session whose join is being asked for. */
  #next: CallSession | null = null;
  /** Rises with each join, so that the answer to an earlier one is recognised. */
  #attempt = 0;
  readonly #losses = new MediaLosses();
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** When the present session was joined, and when its media began to flow; null if not yet. */
  #takenAt: number | null = null;
  #flowingAt: number | null = null;
  #lineUp = true;
  /** The line was lost, and the call has not been joined again since. */
  #lineLost = false;
  #over = false;
  #call: Call | undefined;
  #giveUp: ReturnType<typeof setTimeout> | undefined;
  readonly #shown = new Map<string, PixelSize | null>();

  constructor(options: CurrentCallOptions) {
    this.options = options;
    options.local.onChange((source) => this.#session?.sync(source));
  }

  get stage(): CallStage {
    if (this.#phase === 'reconnecting') return { kind: this.#mediaDown ? 'media-down' : 'reconnecting' };
    if (this.options.outgoing && this.#answeredAt === null) return { kind: 'ringing-out' };
    if (this.#phase === 'joining') return { kind: 'joining' };
    return { kind: 'joined', since: this.#answeredAt ?? this.#joinedAt };
  }
  get answeredAt(): number | null {
    return this.#answeredAt;
  }
  get session(): CallSession | null {
    return this.#session;
  }
  /** As last described, even after its end. */
  get call(): Call | undefined {
    return this.#call;
  }
  get isOver(): boolean {
    return this.#over;
  }

  /** Joins, or joins again. Never rejects; a failure is told by `onOver`. */
  async enter(): Promise<void> {
    const attempt = ++this.#attempt;
    clearTimeout(this.#retry);
    const { callId, connection, engine, local, onCall } = this.options;
    this.#next?.close();
    const session: CallSession = new CallSession({
      callId,
      connection,
      engine,
      local,
      onFlowing: () => {
        if (session === this.#session) this.#flowingAt ??= Date.now();
      },
      onLost: () => this.#mediaLost(this.#flowingAt),
    });
    this.#next = session;
    try {
      // Without waiting where there is nothing to wait for: the request leaves before the view is drawn.
      const rtpCapabilities = engine.capabilities ?? (await engine.load());
      if (attempt !== this.#attempt) return;
      const answer = await connection.request(wire.join, { callId, rtpCapabilities, idempotencyId: freshId() });
      if (this.#over) return void connection.request(wire.leave, { callId }).catch(() => {});
      if (attempt !== this.#attempt) return;
      this.#take(session);
      session.open(answer, this.#shown);
      onCall(answer.call);
    } catch (error) {
      if (attempt === this.#attempt && !this.#over) this.#failed(error);
    }
  }

  /** The call has changed; `undefined`: it is over. */
  observe(call: Call | undefined): void {
    if (this.#over) return;
    if (call === undefined) {
      // Before the first join is answered, the server may not have told of the call yet.
      if (this.#phase !== 'joining' || this.#joinedAt > 0) this.#gone();
      return;
    }
    this.#call = call;
    const { self } = this.options;
    if (isOnOtherDevice(call, self.userId, self.deviceId)) return this.#end('moved');
    const others = othersOf(call, self.userId);
    if (this.#session !== null) this.#limitCamera(this.#session, call);
    if (this.#answeredAt === null && others.some(isPresent)) this.#answeredAt = Date.now();
    if (this.#phase !== 'joined') return;
    const alone = !others.some((one) => isPresent(one) || one.state === 'ringing');
    // In a group somebody may come back; a call of two, or one that nobody took, is over.
    if (alone && (others.length < 2 || this.#answeredAt === null)) return this.#end('ended');
    const own = participantOf(call, self.userId);
    // The server lost this device's media (its worker died) though the line is up.
    if (own?.state === 'reconnecting' && this.#lineUp) this.#mediaLost(this.#takenAt);
    if (own?.state === 'left') this.#end('ended');
  }

  /** The line to the server went down or came back. */
  setLine(up: boolean): void {
    if (up === this.#lineUp || this.#over) return;
    this.#lineUp = up;
    if (up) return void this.enter();
    this.#lineLost = true;
    this.#reconnecting();
  }

  /** Sets media up anew now, for a person who does not want to wait for the next attempt. */
  retryMedia(): void {
    if (this.#over || !this.#mediaDown || !this.#lineUp) return;
    this.#losses.forget();
    this.#mediaDown = false;
    void this.enter();
  }

  show(participantId: ParticipantId, source: 'camera' | 'screen', size: PixelSize | null): void {
    this.#shown.set(showKey(participantId, source), size);
    this.#session?.show(participantId, source, size);
  }

  /** Events about consumers go to the session that joins, too: its own may come before the answer. */
  eachSession(run: (session: CallSession) => void): void {
    if (this.#next !== null) run(this.#next);
    if (this.#session !== null) run(this.#session);
  }

  /** Ends it here, without telling anybody. */
  close(): void {
    this.#over = true;
    this.#attempt += 1;
    clearTimeout(this.#giveUp);
    clearTimeout(this.#retry);
    this.#next?.close();
    this.#session?.close();
    this.options.local.onChange(() => {});
  }

  #take(session: CallSession): void {
    clearTimeout(this.#giveUp);
    this.#giveUp = undefined;
    this.#session?.close();
    this.#session = session;
    this.#next = null;
    // The call may have been described before the join was answered, and will not be again for that.
    if (this.#call !== undefined) this.#limitCamera(session, this.#call);
    this.#phase = 'joined';
    this.#lineLost = false;
    this.#mediaDown = false;
    this.#takenAt = Date.now();
    this.#flowingAt = null;
    if (this.#joinedAt === 0) this.#joinedAt = Date.now();
  }

  #limitCamera(session: CallSession, call: Call): void {
    const participants = 1 + othersOf(call, this.options.self.userId).filter(isPresent).length;
    session.limitCamera(topCameraLayer({ cores: navigator.hardwareConcurrency, participants }));
  }

  #failed(error: unknown): void {
    const unreachable = isLostAnswer(error);
    // While reconnecting, the line's return tries again. On a line that is up, or that nobody knows yet to be down, it is
    // tried by a timer: at once would go round for ever before anybody hears of the line.
    if (unreachable && this.#phase === 'reconnecting') {
      if (this.#lineUp) this.#retry = setTimeout(() => void this.enter(), this.#losses.add(0));
      return;
    }
    if (unreachable) return this.#end('offline');
    if (ProtocolError.is(error, 'call_full')) return this.#end('full');
    if (ProtocolError.is(error, 'too_many_calls')) return this.#end('too-many');
    if (this.#mayPass(error)) return this.#again(0);
    if (ProtocolError.is(error, 'call_ended') || ProtocolError.is(error, 'call_unknown')) return this.#gone();
    this.#end('failed');
  }

  /** The server does not know the call any more. Whoever did not see it end is told: nobody has hung up before them. */
  #gone(): void {
    this.#end(this.#lineLost ? 'lost' : 'ended');
  }

  /** Whether joining may work in a moment. A server whose worker dies meanwhile may reject what it took before. */
  #mayPass(error: unknown): boolean {
    return isPassing(error) || (this.#joinedAt > 0 && ProtocolError.is(error, 'media_rejected'));
  }

  /** @param workingSince when media began to work (milliseconds since the epoch); null if it has not */
  #mediaLost(workingSince: number | null): void {
    if (this.#over || this.#phase === 'reconnecting') return;
    this.#again(workingSince === null ? 0 : Date.now() - workingSince);
  }

  /** Joins anew, at once after a single loss and less and less often while it does not help. */
  #again(workedMs: number): void {
    const waitMs = this.#losses.add(workedMs);
    this.#mediaDown = this.#losses.lasting;
    this.#reconnecting();
    if (!this.#lineUp) return;
    // The server answers, so there is nothing to give up: the call lasts until somebody leaves it.
    clearTimeout(this.#giveUp);
    this.#giveUp = undefined;
    if (waitMs === 0) void this.enter();
    else this.#retry = setTimeout(() => void this.enter(), waitMs);
  }

  #reconnecting(): void {
    this.#attempt += 1;
    clearTimeout(this.#retry);
    this.#phase = 'reconnecting';
    this.#giveUp ??= setTimeout(() => this.#end('lost'), GIVE_UP_MS);
  }

  #end(why: CallOver): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#giveUp);
    clearTimeout(this.#retry);
    this.options.onOver(why);
  }
}
