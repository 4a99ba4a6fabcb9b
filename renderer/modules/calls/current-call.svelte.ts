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
import { isLostAnswer } from '../../net/retrying.ts';
import { isOnOtherDevice, isPresent, othersOf, participantOf } from './call-book.ts';
import { CallSession, freshId, showKey } from './call-session.svelte.ts';
import type { CallNotice, CallStage } from './model.ts';

/** The server gives up on a participant after REJOIN_MS; the answer to the last attempt may come a little later. */
const GIVE_UP_MS = REJOIN_MS + 5_000;
/** How often in a row media may be lost on a working line before the call is given up. */
const MAX_MEDIA_LOSSES = 5;
/** Media that flowed for this long makes earlier losses forgotten. Milliseconds. */
const STABLE_MS = 5_000;
/** Wait before media is set up anew after the second and later losses in a row, per loss. Milliseconds. */
const LOSS_DELAY_MS = 250;
/** Wait before the next join while the server has no media worker. Milliseconds. */
const RETRY_MS = 500;

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
  #answeredAt = $state<number | null>(null);
  #joinedAt = $state(0);
  #session = $state.raw<CallSession | null>(null);
  /** The session whose join is being asked for. */
  #next: CallSession | null = null;
  /** Rises with each join, so that the answer to an earlier one is recognised. */
  #attempt = 0;
  /** Losses of media in a row. */
  #losses = 0;
  #stable: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #lineUp = true;
  #over = false;
  #call: Call | undefined;
  #giveUp: ReturnType<typeof setTimeout> | undefined;
  readonly #shown = new Map<string, PixelSize | null>();

  constructor(options: CurrentCallOptions) {
    this.options = options;
    options.local.onChange((source) => this.#session?.sync(source));
  }

  get stage(): CallStage {
    if (this.#phase === 'reconnecting') return { kind: 'reconnecting' };
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
    const { callId, connection, engine, local, onCall } = this.options;
    this.#next?.close();
    const session = new CallSession({ callId, connection, engine, local, onLost: () => this.#mediaLost() });
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
      if (this.#phase !== 'joining' || this.#joinedAt > 0) this.#end('ended');
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
    if (own?.state === 'reconnecting' && this.#lineUp) this.#mediaLost();
    if (own?.state === 'left') this.#end('ended');
  }

  /** The line to the server went down or came back. */
  setLine(up: boolean): void {
    if (up === this.#lineUp || this.#over) return;
    this.#lineUp = up;
    if (!up) return this.#reconnecting();
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
    for (const timer of [this.#giveUp, this.#stable, this.#again]) clearTimeout(timer);
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
    clearTimeout(this.#stable);
    this.#stable = setTimeout(() => (this.#losses = 0), STABLE_MS);
    if (this.#joinedAt === 0) this.#joinedAt = Date.now();
  }

  #limitCamera(session: CallSession, call: Call): void {
    const participants = 1 + othersOf(call, this.options.self.userId).filter(isPresent).length;
    session.limitCamera(topCameraLayer({ cores: navigator.hardwareConcurrency, participants }));
  }

  #failed(error: unknown): void {
    const unreachable = isLostAnswer(error);
    // While reconnecting, the line's return tries again; a timeout on a line that is up does so at once.
    if (unreachable && this.#phase === 'reconnecting') {
      if (this.#lineUp) void this.enter();
      return;
    }
    if (unreachable) return this.#end('offline');
    if (ProtocolError.is(error, 'call_full')) return this.#end('full');
    if (ProtocolError.is(error, 'too_many_calls')) return this.#end('too-many');
    // The media worker is being replaced: the place in the call is kept for a while, so ask again.
    if (ProtocolError.is(error, 'unavailable') && this.#joinedAt > 0) return this.#enterLater(RETRY_MS);
    const gone = ProtocolError.is(error, 'call_ended') || ProtocolError.is(error, 'call_unknown');
    this.#end(gone ? 'ended' : 'failed');
  }

  #mediaLost(): void {
    if (this.#over || this.#phase === 'reconnecting') return;
    this.#losses += 1;
    if (this.#losses > MAX_MEDIA_LOSSES) return this.#end('no-media');
    this.#reconnecting();
    if (this.#losses === 1) return void (this.#lineUp && this.enter());
    // A server that loses media again and again is not helped by haste.
    this.#enterLater((this.#losses - 1) * LOSS_DELAY_MS);
  }

  /** While reconnecting; `GIVE_UP_MS` bounds how often. The line's return enters by itself. */
  #enterLater(delayMs: number): void {
    const attempt = this.#attempt;
    clearTimeout(this.#again);
    this.#again = setTimeout(() => void (this.#lineUp && attempt === this.#attempt && this.enter()), delayMs);
  }

  #reconnecting(): void {
    this.#attempt += 1;
    clearTimeout(this.#stable);
    clearTimeout(this.#again);
    this.#phase = 'reconnecting';
    this.#giveUp ??= setTimeout(() => this.#end('lost'), GIVE_UP_MS);
  }

  #end(why: CallOver): void {
    if (this.#over) return;
    this.#over = true;
    for (const timer of [this.#giveUp, this.#stable, this.#again]) clearTimeout(timer);
    this.options.onOver(why);
  }
}
