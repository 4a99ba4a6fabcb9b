import type { types } from 'mediasoup';
import { MAX_PARTICIPANTS, Source } from '../../protocol/calls.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import * as wire from '../../protocol/media.ts';
import { Consumer, type ConsumerListener } from './consumer.ts';
import { LIMITS } from './limits.ts';
import { parseDtlsParameters, parseRtpParameters } from './parameters.ts';
import { PictureHold } from './picture-hold.ts';
import { bothTaken, NOTHING_TAKEN, Producer, type Taken } from './producer.ts';
import { refusing } from './rejection.ts';
import { type Flood, TrafficMeter } from './traffic-meter.ts';

/** Every source of every other participant. */
export const MAX_CONSUMERS = (MAX_PARTICIPANTS - 1) * Source.options.length;

const KIND_OF: Record<Source, 'audio' | 'video'> = {
  microphone: 'audio',
  'screen-audio': 'audio',
  camera: 'video',
  screen: 'video',
};

/** What a client needs to set its side of a transport up. */
export interface TransportDescription {
  readonly id: string;
  readonly iceParameters: wire.IceParameters;
  readonly iceCandidates: wire.IceCandidate[];
  readonly dtlsParameters: wire.DtlsParameters;
}

export interface ProduceOptions {
  readonly source: Source;
  readonly kind: 'audio' | 'video';
  readonly rtpParameters: unknown;
  readonly paused: boolean;
}

/** The parts of a room that its peers use. */
export interface PeerRoom {
  readonly router: types.Router;
  publicTcpPort(workerPort: number): number;
  producerAdded(producer: Producer): Promise<void>;
  producerChanged(producer: Producer): void;
  peerClosed(peer: Peer): void;
}

interface PeerParts {
  readonly id: string;
  readonly room: PeerRoom;
  readonly rtpCapabilities: types.RtpCapabilities;
  readonly send: types.WebRtcTransport;
  readonly receive: types.WebRtcTransport;
  readonly listener: ConsumerListener;
}

/** One participant's media: a transport each way, at most one producer per source, and consumers of the others. */
export class Peer {
  readonly id: string;
  readonly #parts: PeerParts;
  readonly #producers = new Map<Source, Producer>();
  readonly #consumers = new Map<string, Consumer>();
  /** Consumers asked for whose answer is outstanding; they count towards the limit. */
  #consuming = 0;
  readonly #meter: TrafficMeter;
  readonly #hold = new PictureHold(() => this.#consumers.values());
  /** What producers took that have closed: whoever begins anew is not forgotten. */
  #takenBefore = NOTHING_TAKEN;
  #closed = false;

  constructor(parts: PeerParts) {
    this.id = parts.id;
    this.#parts = parts;
    this.#meter = new TrafficMeter(parts, () => this.#taken());
  }

  get closed(): boolean {
    return this.#closed;
  }

  get sendTransport(): TransportDescription {
    return describe(this.#parts.send, this.#parts.room);
  }

  get receiveTransport(): TransportDescription {
    return describe(this.#parts.receive, this.#parts.room);
  }

  get producers(): Producer[] {
    return [...this.#producers.values()];
  }

  producer(producerId: string): Producer | undefined {
    return this.producers.find(({ id }) => id === producerId);
  }

  consumer(consumerId: string): Consumer | undefined {
    return this.#consumers.get(consumerId);
  }

  /** Gives the client's DTLS fingerprints to one of the two transports. Once per transport. */
  async connectTransport(transportId: string, dtlsParameters: unknown): Promise<void> {
    const transport = this.#transport(transportId);
    const parsed = parseDtlsParameters(dtlsParameters);
    await refusing('the transport', () => transport.connect({ dtlsParameters: parsed }));
  }

  /** New ICE credentials for a transport whose network changed. */
  async restartIce(transportId: string): Promise<wire.IceParameters> {
    const transport = this.#transport(transportId);
    return wire.IceParameters.parse(await refusing('the restart', () => transport.restartIce()));
  }

  /** Begins to receive a source from this participant; an earlier producer of the same source is closed. */
  async produce(options: ProduceOptions): Promise<Producer> {
    const { source, kind, paused } = options;
    if (KIND_OF[source] !== kind) throw new ProtocolError('media_rejected', `${source} is not ${kind}`);
    const rtpParameters = parseRtpParameters(options.rtpParameters);
    // mediasoup would take sound that says it is a picture.
    if (!rtpParameters.codecs.every(({ mimeType }) => mimeType.toLowerCase().startsWith(`${kind}/`))) {
      throw new ProtocolError('media_rejected', `the codecs are not for ${kind}`);
    }
    this.#producers.get(source)?.close();
    const keyFrameRequestDelay = LIMITS.keyFrameEvery.value;
    const inner = await refusing('the producer', () =>
      this.#parts.send.produce({ kind, rtpParameters, paused, keyFrameRequestDelay }),
    );
    const producer = new Producer(inner, source, this.id);
    if (this.#closed) {
      producer.close();
      throw new ProtocolError('call_not_joined', 'left while this was under way');
    }
    this.#producers.set(source, producer);
    producer.onChanged(() => {
      if (producer.closed) this.#forget(producer);
      this.#parts.room.producerChanged(producer);
    });
    await this.#parts.room.producerAdded(producer);
    return producer;
  }

  /**
   * Prepares to send another participant's producer to this one. Null where the receiver cannot decode it, or one of the
   * two has gone meanwhile.
   * @throws ProtocolError `media_rejected`, `unavailable`
   */
  async consume(producer: Producer): Promise<Consumer | null> {
    const { room, receive, rtpCapabilities, listener } = this.#parts;
    if (this.#closed || producer.closed) return null;
    if (this.#consumers.size + this.#consuming >= MAX_CONSUMERS) {
      throw new ProtocolError('media_rejected', 'too many consumers');
    }
    this.#consuming += 1;
    try {
      const inner = await refusing('the consumer', async () =>
        room.router.canConsume({ producerId: producer.id, rtpCapabilities })
          ? await receive.consume({ producerId: producer.id, rtpCapabilities, paused: true })
          : null,
      );
      if (inner === null) return null;
      if (this.#closed || producer.closed) {
        inner.close();
        return null;
      }
      const consumer = new Consumer(inner, producer, listener, ({ id }) => this.#consumers.delete(id));
      this.#consumers.set(consumer.id, consumer);
      this.#hold.include(consumer);
      return consumer;
    } finally {
      this.#consuming -= 1;
    }
  }

  /**
   * What this participant floods the media worker with since this was last asked; null if nothing. Whoever asks for too
   * much again gets no pictures for a while and is not put out, since a bad line asks for it, too.
   */
  async flooding(): Promise<Flood | null> {
    try {
      const excess = await this.#meter.check();
      if (excess !== 'retransmissions') return excess;
      this.#hold.begin();
      return null;
    } catch {
      // A producer or the whole peer that has closed meanwhile cannot be measured; what is open is next time.
      return null;
    }
  }

  /** Releases everything; the others lose this participant's producers. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#hold.close();
    for (const consumer of this.#consumers.values()) consumer.close();
    for (const producer of this.producers) producer.close();
    for (const transport of [this.#parts.send, this.#parts.receive]) if (!transport.closed) transport.close();
    this.#parts.room.peerClosed(this);
  }

  #forget(producer: Producer): void {
    if (this.#producers.get(producer.source) === producer) this.#producers.delete(producer.source);
    void producer.taken().then((taken) => (this.#takenBefore = bothTaken(this.#takenBefore, taken)));
  }

  /** By all producers there are and were. */
  async #taken(): Promise<Taken> {
    const open = await Promise.all(this.producers.map((producer) => producer.taken()));
    return open.reduce(bothTaken, this.#takenBefore);
  }

  #transport(transportId: string): types.WebRtcTransport {
    const { send, receive } = this.#parts;
    const transport = [send, receive].find(({ id }) => id === transportId);
    if (transport === undefined) throw new ProtocolError('media_rejected', 'no such transport');
    return transport;
  }
}

function describe(transport: types.WebRtcTransport, room: PeerRoom): TransportDescription {
  return {
    id: transport.id,
    iceParameters: wire.IceParameters.parse(transport.iceParameters),
    iceCandidates: wire.IceCandidates.parse(
      transport.iceCandidates.map((candidate) =>
        candidate.protocol === 'tcp' ? { ...candidate, port: room.publicTcpPort(candidate.port) } : candidate,
      ),
    ),
    dtlsParameters: wire.DtlsParameters.parse(transport.dtlsParameters),
  };
}
