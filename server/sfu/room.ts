import type { types } from 'mediasoup';
import { ProtocolError } from '../../protocol/errors.ts';
import { INITIAL_OUTGOING_BITRATE, MAX_INCOMING_BITRATE } from './codecs.ts';
import type { ConsumerListener } from './consumer.ts';
import { LIMITS } from './limits.ts';
import { parseRtpCapabilities } from './parameters.ts';
import { Peer, type PeerRoom } from './peer.ts';
import type { Producer } from './producer.ts';
import { refusing } from './rejection.ts';
import { SpeakerWatch } from './speaker-watch.ts';
import type { Flood } from './traffic-meter.ts';

export interface RoomListener {
  /** The worker died and took the room along: everything in it is closed, and another room is needed. */
  lost(): void;
  /** Who speaks now, by peer id; null if that one has muted or stopped. */
  activeSpeaker(peerId: string | null): void;
  /** A participant sent or asked for far more than a call needs (limits.ts) and is out of the room. */
  flooded(peerId: string, by: Flood): void;
}

export interface RoomParts {
  readonly router: types.Router;
  readonly webRtcServer: types.WebRtcServer;
  /** The port that clients reach over TCP, for the worker's own. */
  readonly publicTcpPort: (workerPort: number) => number;
  readonly listener: RoomListener;
  readonly closed: () => void;
}

/** Where the media of one call meets: a router on one worker. */
export class Room implements PeerRoom {
  readonly #parts: RoomParts;
  readonly #peers = new Set<Peer>();
  readonly #speakers: SpeakerWatch;
  readonly #trafficTimer: NodeJS.Timeout;
  #measuring = false;
  #closed = false;

  static async create(parts: RoomParts): Promise<Room> {
    return new Room(parts, await SpeakerWatch.create(parts.router));
  }

  private constructor(parts: RoomParts, speakers: SpeakerWatch) {
    this.#parts = parts;
    this.#speakers = speakers;
    speakers.onChanged((peerId) => {
      if (!this.#closed) parts.listener.activeSpeaker(peerId);
    });
    parts.router.on('workerclose', () => this.#lost());
    this.#trafficTimer = setInterval(() => void this.#measure(), LIMITS.trafficEvery.value);
    this.#trafficTimer.unref();
  }

  /** The peer who speaks now; null if that one has muted or stopped. */
  get activeSpeaker(): string | null {
    return this.#speakers.current;
  }

  get router(): types.Router {
    return this.#parts.router;
  }

  publicTcpPort(workerPort: number): number {
    return this.#parts.publicTcpPort(workerPort);
  }

  get closed(): boolean {
    return this.#closed;
  }

  get peers(): Peer[] {
    return [...this.#peers];
  }

  /** All that the participants other than `except` send now. */
  producersBesides(except: Peer): Producer[] {
    return this.peers.filter((peer) => peer !== except).flatMap((peer) => peer.producers);
  }

  /**
   * Makes both transports for a participant.
   * @throws ProtocolError `media_rejected` (capabilities), `unavailable` (the worker is gone)
   */
  async join(id: string, rtpCapabilities: unknown, listener: ConsumerListener): Promise<Peer> {
    const parsed = parseRtpCapabilities(rtpCapabilities);
    const [send, receive] = await refusing('the transports', () =>
      Promise.all([this.#createTransport('send'), this.#createTransport('receive')]),
    );
    const peer = new Peer({
      id,
      room: this,
      rtpCapabilities: parsed,
      send,
      receive,
      listener: this.#whileOpen(listener),
    });
    if (this.#closed) {
      peer.close();
      throw new ProtocolError('unavailable', 'the room closed while this was under way');
    }
    this.#peers.add(peer);
    return peer;
  }

  async producerAdded(producer: Producer): Promise<void> {
    if (producer.source === 'microphone') await this.#speakers.add(producer);
  }

  producerChanged(producer: Producer): void {
    this.#speakers.producerChanged(producer);
  }

  peerClosed(peer: Peer): void {
    this.#peers.delete(peer);
  }

  /** Ends the room and everything in it. Its listener is not told. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#trafficTimer);
    for (const peer of this.peers) peer.close();
    if (!this.router.closed) this.router.close();
    this.#parts.closed();
  }

  async #createTransport(direction: 'send' | 'receive'): Promise<types.WebRtcTransport> {
    const transport = await this.router.createWebRtcTransport({
      webRtcServer: this.#parts.webRtcServer,
      enableUdp: true,
      enableTcp: true,
      preferUdp: true,
      initialAvailableOutgoingBitrate: INITIAL_OUTGOING_BITRATE,
    });
    if (direction === 'send') await transport.setMaxIncomingBitrate(MAX_INCOMING_BITRATE);
    return transport;
  }

  /** Whoever floods is out at once, before anything else hears of it. */
  async #measure(): Promise<void> {
    // A worker that is flooded may take longer to answer.
    if (this.#measuring) return;
    this.#measuring = true;
    await Promise.all(
      this.peers.map(async (peer) => {
        const flood = await peer.flooding();
        if (flood === null || peer.closed) return;
        peer.close();
        this.#parts.listener.flooded(peer.id, flood);
      }),
    );
    this.#measuring = false;
  }

  /** When the whole room goes, nobody needs to hear of each consumer in it. */
  #whileOpen(listener: ConsumerListener): ConsumerListener {
    return {
      consumerRemoved: (consumerId) => {
        if (!this.#closed) listener.consumerRemoved(consumerId);
      },
      consumerPaused: (consumerId, paused) => {
        if (!this.#closed) listener.consumerPaused(consumerId, paused);
      },
    };
  }

  #lost(): void {
    if (this.#closed) return;
    this.close();
    this.#parts.listener.lost();
  }
}
