import * as wire from '../../../protocol/calls.ts';
import type { ConsumerOptions, ParticipantId, Source } from '../../../protocol/calls.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { IdempotencyId, type CallId } from '../../../protocol/ids.ts';
import type { ResultOf } from '../../../protocol/method.ts';
import type { MediaEngine, MediaSession, MediaSignalling, SentSource } from '../../media/engine.ts';
import { chooseLayers, type PixelSize } from '../../media/layers.ts';
import type { LocalMedia, SourceState } from '../../media/local-media.svelte.ts';
import type { Connection } from '../../net/connection.ts';

/** Tiles change size in animations; the server need not hear of every step. Milliseconds. */
const SHOW_DEBOUNCE_MS = 150;
/** How long setting up what is received may hold back what is sent. Milliseconds. */
const HEAD_START_MS = 700;
/** After somebody has joined, before more layers of the camera are sent. Milliseconds. */
const RAISE_DELAY_MS = 1_000;
const SOURCES = wire.Source.options;

/** What one participant sends of one kind, as it arrives here. */
export interface RemoteSource {
  readonly consumerId: string;
  readonly producerId: string;
  readonly participantId: ParticipantId;
  readonly source: Source;
  readonly stream: MediaStream;
  /** Held back by its sender. */
  readonly paused: boolean;
}

export interface CallSessionOptions {
  readonly callId: CallId;
  readonly connection: Connection;
  readonly engine: MediaEngine;
  readonly local: LocalMedia;
  /** Media reaches the server. May be called more than once. */
  readonly onFlowing: () => void;
  readonly onLost: () => void;
}

interface Sent {
  readonly sent: SentSource;
  track: MediaStreamTrack | null;
  paused: boolean;
}

/**
 * The media of one join: sends what LocalMedia has, and receives what the others send. It is made before the join is
 * asked for, so that no event about its consumers is missed, and lives until the next join takes its place.
 */
export class CallSession {
  #remote = $state.raw<readonly RemoteSource[]>([]);
  #media: MediaSession | null = null;
  #closed = false;
  readonly #options: CallSessionOptions;
  readonly #early: ConsumerOptions[] = [];
  readonly #removed = new Set<string>();
  /** Whether each consumer's sender holds it back, as far as told before the consumer is set up. */
  readonly #paused = new Map<string, boolean>();
  readonly #sent = new Map<Source, Sent>();
  readonly #syncing = new Set<Source>();
  readonly #shown = new Map<string, PixelSize | null>();
  readonly #showTimers = new Map<string, ReturnType<typeof setTimeout>>();
  /** What each video consumer was last asked to be, so that nothing is asked twice. */
  readonly #asked = new Map<string, string>();
  #topLayer: number | null = null;
  #raiseTimer: ReturnType<typeof setTimeout> | undefined;
  #sending = false;

  constructor(options: CallSessionOptions) {
    this.#options = options;
  }

  get remote(): readonly RemoteSource[] {
    return this.#remote;
  }

  /** Begins with the answer to the join. */
  open(answer: ResultOf<typeof wire.join>, shown: ReadonlyMap<string, PixelSize | null>): void {
    if (this.#closed) return;
    const { engine, onFlowing, onLost } = this.#options;
    this.#media = engine.open({ transports: answer, signalling: this.#signalling(), onFlowing, onLost });
    for (const [key, size] of shown) this.#shown.set(key, size);
    const known = new Set(answer.consumers.map(({ consumerId }) => consumerId));
    const media = this.#media;
    const received = answer.consumers.map((consumer) => {
      // Nothing flows before the transport is up, and by then the consumer is: resuming it can go alongside.
      this.#resume(consumer);
      return this.#receive(media, consumer);
    });
    for (const consumer of this.#early.splice(0)) if (!known.has(consumer.consumerId)) this.add(consumer);
    void this.#sendAfter(Promise.all(received));
  }

  /** One's own sound and picture go out when the others' are set up: seeing comes before being seen. */
  async #sendAfter(received: Promise<unknown>): Promise<void> {
    await Promise.race([received, new Promise((resolve) => setTimeout(resolve, HEAD_START_MS))]);
    this.#sending = true;
    for (const source of SOURCES) this.sync(source);
  }

  /** Sends a source as LocalMedia now has it. */
  sync(source: Source): void {
    if (!this.#sending || this.#syncing.has(source)) return;
    this.#syncing.add(source);
    void this.#reconcile(source);
  }

  /**
   * Sends no layer of the camera above this one. More layers wait a moment: setting them up restarts the encoder, just
   * when somebody who has joined waits for the first frame.
   */
  limitCamera(top: number): void {
    if (top === this.#topLayer) return;
    const raised = this.#topLayer !== null && top > this.#topLayer;
    this.#topLayer = top;
    clearTimeout(this.#raiseTimer);
    if (raised) this.#raiseTimer = setTimeout(() => this.#applyTopLayer(), RAISE_DELAY_MS);
    else this.#applyTopLayer();
  }

  #applyTopLayer(): void {
    const camera = this.#sent.get('camera');
    if (camera !== undefined && this.#topLayer !== null) camera.sent.limitLayer(this.#topLayer).catch(() => {});
  }

  add(options: ConsumerOptions): void {
    if (this.#media === null) this.#early.push(options);
    else void this.#receive(this.#media, options);
  }

  remove(consumerId: string): void {
    this.#removed.add(consumerId);
    this.#media?.closeConsumer(consumerId);
    this.#asked.delete(consumerId);
    this.#remote = this.#remote.filter((remote) => remote.consumerId !== consumerId);
  }

  setPaused(consumerId: string, paused: boolean): void {
    this.#paused.set(consumerId, paused);
    this.#remote = this.#remote.map((remote) => (remote.consumerId === consumerId ? { ...remote, paused } : remote));
  }

  /** A picture is shown at this size (device pixels), or not at all. */
  show(participantId: ParticipantId, source: 'camera' | 'screen', size: PixelSize | null): void {
    const key = showKey(participantId, source);
    this.#shown.set(key, size);
    clearTimeout(this.#showTimers.get(key));
    this.#showTimers.set(
      key,
      setTimeout(() => {
        const remote = this.#remote.find((one) => one.participantId === participantId && one.source === source);
        if (remote !== undefined) this.#resume(remote);
      }, SHOW_DEBOUNCE_MS),
    );
  }

  stats(): Promise<RTCStatsReport | null> {
    return this.#media?.stats() ?? Promise.resolve(null);
  }

  close(): void {
    this.#closed = true;
    for (const timer of [this.#raiseTimer, ...this.#showTimers.values()]) clearTimeout(timer);
    this.#media?.close();
    this.#media = null;
    this.#remote = [];
  }

  async #receive(media: MediaSession, options: ConsumerOptions): Promise<void> {
    const { consumerId, producerId, participantId, source } = options;
    let track: MediaStreamTrack;
    try {
      track = await media.consume(options);
    } catch {
      // A codec this browser cannot decode, or the session closed meanwhile: the tile stays without this source.
      return;
    }
    if (this.#closed || this.#removed.has(consumerId)) return media.closeConsumer(consumerId);
    const paused = this.#paused.get(consumerId) ?? options.producerPaused;
    const arrived: RemoteSource = {
      consumerId,
      producerId,
      participantId,
      source,
      stream: new MediaStream([track]),
      paused,
    };
    // A participant has one of each source: a newer one takes the place of the one before it.
    const others = this.#remote.filter((one) => one.participantId !== participantId || one.source !== source);
    this.#remote = [...others, arrived];
    this.#resume(arrived);
  }

  /** Asks for a consumer as it is shown. Sound, and a picture of which nothing is known yet, come in full. */
  #resume({ consumerId, participantId, source }: Pick<RemoteSource, 'consumerId' | 'participantId' | 'source'>): void {
    const size =
      source === 'camera' || source === 'screen' ? this.#shown.get(showKey(participantId, source)) : undefined;
    const preferredLayers =
      size && (source === 'camera' || source === 'screen') ? chooseLayers(source, size) : undefined;
    const wish = { paused: size === null, ...(preferredLayers && { preferredLayers }) };
    const text = JSON.stringify(wish);
    if (this.#asked.get(consumerId) === text) return;
    this.#asked.set(consumerId, text);
    const { connection, callId } = this.#options;
    connection.request(wire.setConsumer, { callId, consumerId, ...wish }).catch((error: unknown) => {
      // The server does not know it: told of before a reconnection, and replaced since.
      if (error instanceof ProtocolError && error.code !== 'rate_limited') this.remove(consumerId);
      else this.#asked.delete(consumerId);
    });
  }

  /** Brings what is sent in line with what LocalMedia has, however often that changes meanwhile. */
  async #reconcile(source: Source): Promise<void> {
    try {
      for (;;) {
        const media = this.#media;
        const wanted = this.#options.local.state(source);
        const now = this.#sent.get(source);
        if (media === null || isSent(now, wanted)) return;
        if (now === undefined) await this.#produce(media, source, wanted);
        else if (wanted.track === null && source !== 'camera') await this.#end(source, now);
        else await this.#adapt(now, wanted);
      }
    } catch {
      // The server or the line refused; a later change, or joining again, tries anew.
    } finally {
      this.#syncing.delete(source);
    }
  }

  async #produce(media: MediaSession, source: Source, { track, paused }: SourceState): Promise<void> {
    if (track === null) return;
    const top = source === 'camera' ? this.#topLayer : null;
    const sent = await media.produce(source, track, paused, top);
    this.#sent.set(source, { sent, track, paused });
    // It may have changed meanwhile.
    if (source === 'camera' && top !== this.#topLayer) this.#applyTopLayer();
  }

  /** A camera that is off keeps its producer, so that it is back at once when it is turned on. */
  async #adapt(now: Sent, wanted: SourceState): Promise<void> {
    // Hold back before the track goes, and resume after the new one is there: nobody sees a frozen frame.
    if (wanted.paused && !now.paused) await this.#setProducer(now, true);
    if (wanted.track !== now.track) {
      await now.sent.replaceTrack(wanted.track);
      now.track = wanted.track;
    }
    if (!wanted.paused && now.paused) await this.#setProducer(now, false);
  }

  async #setProducer(now: Sent, paused: boolean): Promise<void> {
    const { connection, callId } = this.#options;
    const { producerId } = now.sent;
    now.paused = paused;
    await connection.request(wire.setProducer, { callId, producerId, state: paused ? 'paused' : 'live' });
  }

  async #end(source: Source, { sent }: Sent): Promise<void> {
    const { connection, callId } = this.#options;
    this.#sent.delete(source);
    sent.close();
    await connection.request(wire.setProducer, { callId, producerId: sent.producerId, state: 'closed' });
  }

  #signalling(): MediaSignalling {
    const { connection, callId } = this.#options;
    return {
      async connectTransport(transportId, dtlsParameters) {
        await connection.request(wire.connectTransport, { callId, transportId, dtlsParameters });
      },
      async restartIce(transportId) {
        const answer = await connection.request(wire.restartIce, { callId, transportId, idempotencyId: freshId() });
        return answer.iceParameters;
      },
      async produce(input) {
        const answer = await connection.request(wire.produce, { callId, ...input, idempotencyId: freshId() });
        return answer.producerId;
      },
    };
  }
}

export function showKey(participantId: ParticipantId, source: 'camera' | 'screen'): string {
  return `${participantId}/${source}`;
}

export function freshId(): IdempotencyId {
  return IdempotencyId.parse(crypto.randomUUID());
}

function isSent(now: Sent | undefined, wanted: SourceState): boolean {
  if (now === undefined) return wanted.track === null;
  return now.track === wanted.track && now.paused === wanted.paused;
}
