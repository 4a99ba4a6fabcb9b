import type { ConsumerOptions, ParticipantId, Source } from '../../../protocol/calls.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { DeviceId, UserId } from '../../../protocol/ids.ts';
import type { RtpCapabilities } from '../../../protocol/media.ts';
import type { Consumer, ConsumerListener } from '../../sfu/consumer.ts';
import type { Log } from '../../sfu/log.ts';
import type { Peer, ProduceOptions } from '../../sfu/peer.ts';
import type { Producer } from '../../sfu/producer.ts';
import type { Room } from '../../sfu/room.ts';
import type { Sfu } from '../../sfu/sfu.ts';
import type { Flood } from '../../sfu/traffic-meter.ts';

/** One participant's hold on the media server. It belongs to the connection that joined and ends with it. */
export interface Seat {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly participantId: ParticipantId;
  readonly connectionId: string;
  readonly peer: Peer;
}

export type SeatOptions = Omit<Seat, 'peer'>;

export interface CallMediaListener {
  consumerAdded(seat: Seat, consumer: ConsumerOptions): void;
  consumerRemoved(seat: SeatOptions, consumerId: string): void;
  consumerPaused(seat: SeatOptions, consumerId: string, paused: boolean): void;
  activeSpeaker(participantId: ParticipantId | null, to: readonly Seat[]): void;
  /** This participant is out of the room. */
  flooded(participantId: ParticipantId, by: Flood): void;
  /** Everybody's media is gone; the next to sit down gets a new room. */
  lost(): void;
}

/** The media of one call: its room, and who sits in it. The caller sees to it that requests come one at a time. */
export class CallMedia {
  readonly #sfu: Sfu;
  readonly #listener: CallMediaListener;
  readonly #logger: Log;
  readonly #seats = new Map<UserId, Seat>();
  #room: Promise<Room> | null = null;
  #closed = false;

  constructor(sfu: Sfu, listener: CallMediaListener, logger: Log) {
    this.#sfu = sfu;
    this.#listener = listener;
    this.#logger = logger;
  }

  get seats(): Seat[] {
    return [...this.#seats.values()];
  }

  seat(userId: UserId): Seat | undefined {
    return this.#seats.get(userId);
  }

  /** Makes the room ahead of the first participant, while the others still ring. */
  prepare(): void {
    this.#ensureRoom().catch((error: unknown) => this.#logger.warn({ err: error }, 'no room for a call yet'));
  }

  /** Gives a participant transports, and a paused consumer for each producer that is there. */
  async sit(
    options: SeatOptions,
    rtpCapabilities: RtpCapabilities,
  ): Promise<{ seat: Seat; consumers: ConsumerOptions[] }> {
    this.release(options.userId);
    const room = await this.#ensureRoom();
    const peer = await room.join(options.participantId, rtpCapabilities, this.#consumerListener(options));
    const seat: Seat = { ...options, peer };
    try {
      const consumers = await Promise.all(room.producersBesides(peer).map((producer) => this.#offer(seat, producer)));
      if (peer.closed) throw new ProtocolError('unavailable', 'the media server restarted; join again');
      this.#seats.set(options.userId, seat);
      this.#listener.activeSpeaker(room.activeSpeaker as ParticipantId | null, [seat]);
      return { seat, consumers: consumers.flatMap((consumer) => (consumer === null ? [] : [consumer])) };
    } catch (error) {
      peer.close();
      throw error;
    }
  }

  /** Frees what a participant holds; the others lose their consumers of it. */
  release(userId: UserId): void {
    const seat = this.#seats.get(userId);
    if (seat === undefined) return;
    this.#seats.delete(userId);
    seat.peer.close();
  }

  /** Starts to send from one seat and offers it to all others. Returns the producer's id. */
  async produce(seat: Seat, options: ProduceOptions): Promise<string> {
    const producer = await seat.peer.produce(options);
    const others = this.seats.filter((other) => other !== seat);
    await Promise.all(
      others.map(async (other) => {
        const consumer = await this.#offer(other, producer);
        if (consumer !== null) this.#listener.consumerAdded(other, consumer);
      }),
    );
    return producer.id;
  }

  /** What one participant sends must not keep another out of the call: a producer that cannot be offered is left out. */
  async #offer({ peer, participantId }: Seat, producer: Producer): Promise<ConsumerOptions | null> {
    try {
      const consumer = await peer.consume(producer);
      return consumer === null ? null : describe(consumer);
    } catch (error) {
      this.#logger.warn({ err: error, participantId }, 'a participant cannot receive a producer');
      return null;
    }
  }

  live(userId: UserId): Source[] {
    const producers = this.#seats.get(userId)?.peer.producers ?? [];
    return producers.filter(({ paused }) => !paused).map(({ source }) => source);
  }

  close(): void {
    this.#closed = true;
    this.#seats.clear();
    this.#room?.then((room) => room.close()).catch(() => {});
    this.#room = null;
  }

  #ensureRoom(): Promise<Room> {
    if (this.#closed) return Promise.reject(new ProtocolError('call_ended', 'the call has ended'));
    if (this.#room !== null) return this.#room;
    const room = this.#sfu.createRoom({
      lost: () => this.#forget(room),
      activeSpeaker: (peerId) => this.#listener.activeSpeaker(peerId as ParticipantId | null, this.seats),
      flooded: (peerId, by) => this.#listener.flooded(peerId as ParticipantId, by),
    });
    this.#room = room;
    room.catch(() => {
      if (this.#room === room) this.#room = null;
    });
    return room;
  }

  #forget(room: Promise<Room>): void {
    if (this.#room !== room) return;
    this.#room = null;
    this.#seats.clear();
    this.#listener.lost();
  }

  #consumerListener(options: SeatOptions): ConsumerListener {
    return {
      consumerRemoved: (consumerId) => this.#listener.consumerRemoved(options, consumerId),
      consumerPaused: (consumerId, paused) => this.#listener.consumerPaused(options, consumerId, paused),
    };
  }
}

function describe({ id, producer, rtpParameters, withheld }: Consumer): ConsumerOptions {
  return {
    consumerId: id,
    producerId: producer.id,
    // The call names its peers by their participant ids.
    participantId: producer.peerId as ParticipantId,
    source: producer.source,
    kind: producer.kind,
    rtpParameters,
    producerPaused: withheld,
  };
}
