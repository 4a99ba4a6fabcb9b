import * as wire from '../../../protocol/calls.ts';
import type { Call, ParticipantId } from '../../../protocol/calls.ts';
import type { CallMedia } from '../../../protocol/chat.ts';
import type { Person } from '../../../protocol/contacts.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { CallId, type DeviceId, type UserId } from '../../../protocol/ids.ts';
import type { Host } from '../../host/host.ts';
import type { DeviceKind } from '../../media/device-choice.ts';
import type { MediaEngine } from '../../media/engine.ts';
import type { PixelSize } from '../../media/layers.ts';
import type { LocalMedia } from '../../media/local-media.svelte.ts';
import type { Tones } from '../../media/tones.ts';
import type { Connection, ConnectionState } from '../../net/connection.ts';
import { isLostAnswer } from '../../net/retrying.ts';
import { isLinked, isLive } from '../../net/when-online.ts';
import type { CallOutcome, ChatController } from '../chat/model.ts';
import type { ContactsController } from '../contacts/model.ts';
import {
  EMPTY_BOOK,
  isPresent,
  participantOf,
  rejoinableCalls,
  ringingCalls,
  withActive,
  withCall,
  withEnded,
  withinLimit,
  type CallBook,
} from './call-book.ts';
import { type CallSession, freshId } from './call-session.svelte.ts';
import { CurrentCall, type CallOver } from './current-call.svelte.ts';
import { describeCall, peerOf } from './describe.ts';
import { LIMITS } from './limits.ts';
import type { CallNotice, CallsController, CallStage, DeviceChoice, IncomingCall, Tile } from './model.ts';
import { Names } from './names.ts';
import { endOfOwnCall, type CallEnd, refusalOf, winsGlare } from './outcome.ts';
import { remembering } from './remembered.ts';
import { RingAllowance } from './ring-allowance.ts';
import { Ringing, type Ring } from './ringing.svelte.ts';
import { buildTiles } from './tiles.ts';

/** The first seconds after sign-in belong to what the person sees. Milliseconds. */
const PREFETCH_DELAY_MS = 2_500;
/** How long after one's own call was begun another's still means the same call. Milliseconds. */
const CROSSING_MS = 15_000;
/** Longest wait for one's own call to be left before the other's takes its place. Milliseconds. */
const CROSSING_WAIT_MS = 1_000;

export interface CallsDependencies {
  readonly connection: Connection;
  readonly contacts: ContactsController;
  readonly chat: ChatController;
  readonly host: Host;
  readonly engine: MediaEngine;
  readonly local: LocalMedia;
  readonly tones: Tones;
}

/** Rings, starts, accepts and ends calls, and knows who is in them. See `CurrentCall` for the one this device is in. */
export class Calls implements CallsController {
  readonly #deps: CallsDependencies;
  #book = $state.raw<CallBook>(EMPTY_BOOK);
  #current = $state.raw<CurrentCall | null>(null);
  #speaker = $state<ParticipantId | null>(null);
  #minimised = $state(false);
  #notice = $state.raw<CallNotice | null>(null);
  #prefetching = false;
  #stopRingBack: () => void = () => {};
  readonly #ringing: Ringing;
  readonly #allowance = new RingAllowance();
  readonly #names: Names;
  /** Calls of others that lost to one of this person's own (`winsGlare`). */
  #crossed: ReadonlySet<CallId> = new Set<CallId>();
  /** The other's call that takes the place of the own one, until that is left. */
  #taking: CallId | null = null;

  readonly #call = $derived(this.#current === null ? undefined : this.#book.calls.get(this.#current.options.callId));
  readonly #ownCamera = $derived.by(() => streamOf(this.#deps.local.track('camera')));
  readonly #ownScreen = $derived.by(() => streamOf(this.#deps.local.track('screen')));
  readonly #tiles = $derived.by(() => this.#buildTiles());
  readonly #incoming = $derived.by(() => this.#describeRing());
  readonly #goingOn = $derived(new Set([...this.#book.calls.values()].filter(isTalking).map(({ callId }) => callId)));
  readonly #rejoinable = $derived.by(() => this.#describeRejoinable());

  constructor(dependencies: CallsDependencies) {
    this.#deps = dependencies;
    const { connection, contacts, tones } = dependencies;
    this.#names = new Names(contacts);
    this.#ringing = new Ringing({
      connection,
      tones,
      onOver: (ring, outcome) => {
        if (this.#allowance.take(Date.now())) this.#recordRing(ring, outcome);
      },
    });
    connection.on(wire.ringing, ({ call }) => this.#told(call));
    connection.on(wire.updated, ({ call }) => this.#told(call));
    connection.on(wire.ended, ({ callId }) => this.#learn(withEnded(this.#book, callId)));
    connection.on(wire.consumerAdded, ({ callId, consumer }) =>
      this.#media(callId, (session) => session.add(consumer)),
    );
    connection.on(wire.consumerRemoved, ({ callId, consumerId }) =>
      this.#media(callId, (session) => session.remove(consumerId)),
    );
    connection.on(wire.consumerPaused, ({ callId, consumerId, paused }) =>
      this.#media(callId, (session) => session.setPaused(consumerId, paused)),
    );
    connection.on(wire.activeSpeaker, ({ callId, participantId }) => {
      if (callId === this.#current?.options.callId) this.#speaker = participantId;
    });
    connection.onResync(() => this.#resynchronise());
    connection.onState((state) => this.#lineChanged(state));
  }

  get stage(): CallStage {
    return this.#current?.stage ?? { kind: 'idle' };
  }
  get media(): CallMedia | null {
    return this.#current?.options.media ?? null;
  }
  get minimised(): boolean {
    return this.#minimised && this.#current !== null;
  }
  get notice(): CallNotice | null {
    return this.#notice;
  }
  get incoming(): IncomingCall | null {
    return this.#incoming;
  }
  get goingOn(): ReadonlySet<CallId> {
    return this.#goingOn;
  }
  get rejoinable(): readonly IncomingCall[] {
    return this.#rejoinable;
  }
  get tiles(): readonly Tile[] {
    return this.#tiles;
  }
  get muted(): boolean {
    return this.#deps.local.muted;
  }
  get cameraOn(): boolean {
    return this.#deps.local.cameraOn;
  }
  get sharing(): boolean {
    return this.#deps.local.sharing;
  }
  get mediaProblem() {
    return this.#deps.local.problem;
  }
  get microphones(): readonly DeviceChoice[] {
    return this.#deps.local.lists.microphone;
  }
  get cameras(): readonly DeviceChoice[] {
    return this.#deps.local.lists.camera;
  }
  get speakers(): readonly DeviceChoice[] {
    return this.#deps.local.lists.speaker;
  }
  get chosen() {
    return this.#deps.local.chosen;
  }

  async start(userId: UserId, media: CallMedia): Promise<void> {
    const { connection, contacts, chat, local, tones } = this.#deps;
    if (this.#current !== null) return this.restore();
    if (!isLive(connection.state)) return this.#tell('offline', userId);
    const callId = CallId.parse(crypto.randomUUID());
    const current = this.#enterCall({ callId, media, peer: userId, outgoing: true });
    if (current === null) return;
    this.#stopRingBack = tones.ringBack();
    void local.open({ camera: media === 'video' });
    void contacts.ensure([userId]).catch(() => {});
    // The entry is durable on this device before it resolves; ringing does not wait for that.
    const entered = chat.callStarted(userId, callId, media).catch(() => {});
    try {
      const { call } = await connection.request(wire.start, {
        callId,
        media,
        invite: [userId],
        idempotencyId: freshId(),
      });
      if (current.isOver) return void connection.request(wire.leave, { callId }).catch(() => {});
      this.#learn(withCall(this.#book, call));
      await current.enter();
    } catch (error) {
      await entered;
      this.#over(current, isLostAnswer(error) ? 'offline' : refusedStart(error));
    }
  }

  async accept(): Promise<void> {
    const ring = this.#ringing.answer();
    if (ring !== null) await this.#join(ring.callId, ring.media, ring.from);
  }

  async decline(): Promise<void> {
    const ring = this.#ringing.answer();
    if (ring === null) return;
    this.#recordRing(ring, 'declined');
    await this.#ringing.refuse(ring, 'declined');
  }

  async rejoin(callId: CallId): Promise<void> {
    const call = this.#book.calls.get(callId);
    const self = this.#self;
    if (call !== undefined && self !== null) await this.#join(callId, call.media, peerOf(call, self.userId));
  }

  async invite(users: readonly UserId[]): Promise<void> {
    const callId = this.#current?.options.callId;
    if (callId === undefined || users.length === 0) return;
    await this.#deps.contacts.ensure(users).catch(() => {});
    const { call } = await this.#deps.connection.request(wire.invite, {
      callId,
      users: [...users],
      idempotencyId: freshId(),
    });
    this.#learn(withCall(this.#book, call));
  }

  toggleMute(): Promise<void> {
    return this.#deps.local.setMuted(!this.muted);
  }
  toggleCamera(): Promise<void> {
    return this.#deps.local.setCamera(!this.cameraOn);
  }
  toggleShare(): Promise<void> {
    return this.#deps.local.setSharing(!this.sharing);
  }
  choose(kind: DeviceKind, deviceId: string): Promise<void> {
    return this.#deps.local.choose(kind, deviceId);
  }

  retryMedia(): void {
    this.#current?.retryMedia();
  }

  async leave(): Promise<void> {
    const current = this.#current;
    if (current === null) return;
    this.#over(current, null);
    const { callId } = current.options;
    // If the line is down, the server lets go of this participant by itself.
    await this.#deps.connection.request(wire.leave, { callId }).catch(() => {});
  }

  minimise(): void {
    this.#minimised = true;
  }
  restore(): void {
    this.#minimised = false;
  }
  dismissNotice(): void {
    this.#notice = null;
  }

  show(userId: UserId, source: 'camera' | 'screen', size: PixelSize | null): void {
    const participant = this.#call && participantOf(this.#call, userId);
    if (participant !== undefined) this.#current?.show(participant.participantId, source, size);
  }

  notifyIncoming({ title, body }: { readonly title: string; readonly body: string }): void {
    this.#deps.host.notify({ title, body, tag: 'incoming-call', onClick: () => {} });
  }

  /** For tests and measurements: what this device receives. */
  stats(): Promise<RTCStatsReport | null> {
    return this.#current?.session?.stats() ?? Promise.resolve(null);
  }

  get #self(): { readonly userId: UserId; readonly deviceId: DeviceId; readonly person: Person } | null {
    const { account, deviceId } = this.#deps.connection.welcome ?? { account: null, deviceId: null };
    return account === null || deviceId === null ? null : { userId: account.userId, deviceId, person: account };
  }

  /** The server describes a call. One too many that rings while another does is passed over. */
  #told(call: Call): void {
    const self = this.#self?.userId;
    if (self === undefined) return;
    const busyWith = [this.#current?.options.callId, this.#ringing.ring?.callId].filter((one) => one !== undefined);
    const isNew = !this.#book.calls.has(call.callId) && participantOf(call, self)?.state === 'ringing';
    if (isNew && busyWith.length > 0) {
      const others = ringingCalls(this.#book, self).filter(({ callId }) => !busyWith.includes(callId));
      if (others.length >= LIMITS.ringingMeanwhile.value) return;
    }
    this.#learn(withCall(this.#book, call));
  }

  /** Takes in a changed book and does what follows from it. */
  #learn(next: CallBook): void {
    const before = this.#book;
    const self = this.#self;
    if (next === before || self === null) return;
    const newest = [...next.calls.keys()].at(-1);
    const book = withinLimit(next, [this.#current?.options.callId, this.#ringing.ring?.callId, newest]);
    this.#book = book;
    const changed = [...book.calls.values()].filter((call) => before.calls.get(call.callId) !== call);
    this.#ringing.observe(book, changed, self.userId);
    this.#watchCurrent(before);
    for (const call of changed) {
      this.#names.want(call.participants.map(({ userId }) => userId));
      if (participantOf(call, self.userId)?.state === 'ringing') this.#rung(call, peerOf(call, self.userId));
    }
  }

  /** A call rings for this account. */
  #rung(call: Call, from: UserId): void {
    const { callId, media } = call;
    if (this.#ringing.knows(callId) || this.#taking === callId || this.#current?.options.callId === callId) return;
    if (this.#crosses(call)) return this.#cross(call, from);
    if (this.#current !== null || this.#ringing.ring !== null) return this.#refuse({ callId, media, from });
    this.#notice = null;
    void this.#deps.engine.load().catch(() => {});
    this.#ringing.start({ callId, media, from });
  }

  /**
   * Whether this person is ringing the very one who rings them, and nobody else has to do with either call. A call that
   * holds more people is another matter than the one that was begun: whoever rings with it hears that this person is
   * busy.
   */
  #crosses(call: Call): boolean {
    const current = this.#current;
    const self = this.#self;
    if (current === null || self === null || !current.options.outgoing || current.answeredAt !== null) return false;
    return call.startedBy === current.options.peer && isBetween(call, self.userId, current.options.peer);
  }

  /**
   * Both mean one call: one side drops its own and takes the other's; the other side waits for that. Microphone and
   * camera are as this person chose for their own call, whatever the other's is for. Later than `CROSSING_MS` after the
   * own call was begun nothing is joined without asking: the other's call rings.
   */
  #cross({ callId, media: theirs }: Call, from: UserId): void {
    const current = this.#current;
    if (current === null) return;
    const { callId: mine, media } = current.options;
    const won = winsGlare(mine, callId);
    this.#crossed = remembering(this.#crossed, won ? callId : mine);
    if (won) return;
    this.#taking = callId;
    // Whoever holds the answer back must not make a microphone go live long after the screen was empty.
    const left = new Promise((done) => setTimeout(done, CROSSING_WAIT_MS));
    void Promise.race([this.leave(), left]).then(() => {
      this.#taking = null;
      const call = this.#book.calls.get(callId);
      const self = this.#self;
      if (call === undefined || self === null) return;
      if (participantOf(call, self.userId)?.state !== 'ringing') return;
      if (this.#current !== null) return this.#refuse({ callId, media: theirs, from });
      const atOnce = Date.now() - current.begunAt <= CROSSING_MS;
      if (atOnce && isBetween(call, self.userId, from)) void this.#join(callId, media, from);
      else this.#ringing.start({ callId, media: theirs, from });
    });
  }

  /** Says that this person is busy, unless a server makes up calls without end. */
  #refuse(ring: Ring): void {
    if (!this.#allowance.take(Date.now())) return;
    this.#recordRing(ring, 'missed');
    void this.#ringing.refuse(ring, 'busy');
  }

  #watchCurrent(before: CallBook): void {
    const current = this.#current;
    if (current === null) return;
    const { callId } = current.options;
    const call = this.#book.calls.get(callId);
    if (call === before.calls.get(callId)) return;
    current.observe(call);
    if (current.answeredAt !== null) this.#stopRingBack();
  }

  async #join(callId: CallId, media: CallMedia, peer: UserId): Promise<void> {
    const current = this.#enterCall({ callId, media, peer, outgoing: false });
    if (current === null) return;
    void this.#deps.local.open({ camera: media === 'video' });
    await current.enter();
  }

  #enterCall(call: { callId: CallId; media: CallMedia; peer: UserId; outgoing: boolean }): CurrentCall | null {
    const self = this.#self;
    if (self === null || this.#current !== null) return null;
    const { connection, engine, local } = this.#deps;
    const current: CurrentCall = new CurrentCall({
      ...call,
      self,
      connection,
      engine,
      local,
      onCall: (joined) => this.#learn(withCall(this.#book, joined)),
      onOver: (why) => this.#over(current, why),
    });
    this.#notice = null;
    this.#speaker = null;
    this.#minimised = false;
    this.#current = current;
    return current;
  }

  /** The end of the present call, whoever brought it about. */
  #over(current: CurrentCall, why: CallOver): void {
    if (this.#current !== current) return;
    const { callId, media, peer, outgoing, self } = current.options;
    const { answeredAt, call } = current;
    this.#stopRingBack();
    current.close();
    this.#deps.local.stop();
    this.#current = null;
    this.#record(
      peer,
      callId,
      media,
      endOfOwnCall({
        outgoing,
        answeredAt,
        now: Date.now(),
        hungUp: why === null,
        call,
        self: self.userId,
      }),
    );
    if (why === null || (why === 'ended' && answeredAt !== null)) return;
    this.#tell(why === 'ended' && outgoing ? refusalOf(call, self.userId) : why, peer);
  }

  #tell(kind: CallNotice['kind'], userId: UserId): void {
    this.#notice = { kind, name: this.#deps.contacts.person(userId).displayName };
  }

  #recordRing({ from, callId, media }: Ring, outcome: CallOutcome): void {
    this.#record(from, callId, media, { outcome, durationMs: null });
  }

  /** Enters in the chat how a call ended. */
  #record(peer: UserId, callId: CallId, media: CallMedia, { outcome, durationMs }: CallEnd): void {
    // A call that crossed another was not missed: it became the other one.
    const told = this.#crossed.has(callId) ? 'cancelled' : outcome;
    this.#crossed = new Set([...this.#crossed].filter((crossed) => crossed !== callId));
    void this.#deps.chat.callEnded(peer, callId, media, told, durationMs).catch(() => {});
  }

  #lineChanged(state: ConnectionState): void {
    const up = isLive(state);
    if (up && this.#self === null) return this.#signedOut();
    if (up) this.#prefetch();
    const current = this.#current;
    if (current === null) return;
    if (state.kind === 'ended' || state.kind === 'unsupported') this.#over(current, 'lost');
    else current.setLine(up);
  }

  #signedOut(): void {
    if (this.#current !== null) this.#over(this.#current, null);
    this.#ringing.answer();
    this.#book = EMPTY_BOOK;
  }

  #prefetch(): void {
    if (this.#prefetching) return;
    this.#prefetching = true;
    setTimeout(() => void this.#deps.engine.prefetch(), PREFETCH_DELAY_MS);
  }

  async #resynchronise(): Promise<void> {
    if (this.#self === null || !isLinked(this.#deps.connection)) return;
    try {
      const { calls } = await this.#deps.connection.request(wire.active, {});
      this.#learn(withActive(this.#book, calls));
    } catch (error) {
      // A server that runs without calls has none.
      if (!ProtocolError.is(error, 'unknown_method')) throw error;
      this.#learn(withActive(this.#book, []));
    }
  }

  #media(callId: CallId, run: (session: CallSession) => void): void {
    if (this.#current?.options.callId === callId) this.#current.eachSession(run);
  }

  readonly #personOf = (userId: UserId): Person => this.#deps.contacts.person(userId);

  #describeRing(): IncomingCall | null {
    const { ring } = this.#ringing;
    const call = ring === null ? undefined : this.#book.calls.get(ring.callId);
    return call === undefined || this.#self === null ? null : describeCall(call, this.#self.userId, this.#personOf);
  }

  #describeRejoinable(): readonly IncomingCall[] {
    // Read first: who this is cannot be observed, and is not known yet when this is first looked at.
    const book = this.#book;
    const self = this.#self?.userId;
    if (self === undefined) return [];
    const calls = rejoinableCalls(book, self, this.#current?.options.callId ?? null);
    return calls.map((call) => describeCall(call, self, this.#personOf));
  }

  #buildTiles(): readonly Tile[] {
    const current = this.#current;
    const self = this.#self;
    if (current === null || self === null) return [];
    return buildTiles({
      call: this.#call,
      own: {
        person: self.person,
        camera: this.#ownCamera,
        screen: this.#ownScreen,
        muted: this.muted,
        reconnecting: current.stage.kind === 'reconnecting' || current.stage.kind === 'media-down',
      },
      remote: current.session?.remote ?? [],
      speaker: this.#speaker,
      personOf: this.#personOf,
    });
  }
}

function isTalking({ participants }: Call): boolean {
  return participants.filter(isPresent).length > 1;
}

function refusedStart(error: unknown): CallNotice['kind'] {
  if (ProtocolError.is(error, 'too_many_calls')) return 'too-many';
  return ProtocolError.is(error, 'rung_too_often') ? 'too-often' : 'failed';
}

/** Whether these two, and nobody else, were ever asked into the call. */
function isBetween({ participants }: Call, one: UserId, other: UserId): boolean {
  return participants.length === 2 && [one, other].every((userId) => participants.some((p) => p.userId === userId));
}

/** A stream of one track for a video element; null while there is no track. */
function streamOf(track: MediaStreamTrack | null): MediaStream | null {
  return track === null ? null : new MediaStream([track]);
}
