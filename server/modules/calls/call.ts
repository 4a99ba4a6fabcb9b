import * as wire from '../../../protocol/calls.ts';
import type { ConsumerOptions, ParticipantId } from '../../../protocol/calls.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { RtpCapabilities } from '../../../protocol/media.ts';
import type { EventSink } from '../../ws/event-sink.ts';
import type { CallerOf } from '../../ws/method.ts';
import type { Log } from '../../sfu/log.ts';
import type { ProduceOptions } from '../../sfu/peer.ts';
import type { Sfu } from '../../sfu/sfu.ts';
import { CallMedia, type CallMediaListener, type Seat, type SeatOptions } from './call-media.ts';
import type { CallRules } from './call-rules.ts';
import * as state from './call-state.ts';
import type { CallState } from './call-state.ts';
import type { Clock } from './clock.ts';
import { FairQueue } from './fair-queue.ts';

export type DeviceCaller = CallerOf['device'];

/** In the queue beside the accounts: what nobody asked for. */
const SERVER = 'server';

export interface CallServices {
  readonly sfu: Sfu;
  readonly events: EventSink;
  readonly logger: Log;
  readonly clock: Clock;
  readonly newId: () => ParticipantId;
  readonly rules: CallRules;
  /** Called once, when the call is over. */
  readonly ended: (call: LiveCall) => void;
}

/**
 * A call that is going on: its state, its media, its timer. Whatever changes it goes through one queue, so joining,
 * leaving, a lost connection and a new producer never see each other half done. In that, accounts take turns.
 */
export class LiveCall {
  readonly #services: CallServices;
  readonly #queue = new FairQueue();
  readonly #media: CallMedia;
  #state: CallState;
  #cancelTimer: () => void = () => {};
  #over = false;

  constructor(first: CallState, services: CallServices) {
    this.#state = first;
    this.#services = services;
    this.#media = new CallMedia(services.sfu, this.#mediaListener(), services.logger);
    this.#announce(null);
    // Everybody asked is busy.
    if (state.hasEnded(first)) {
      this.end();
      return;
    }
    this.#media.prepare();
    this.#schedule();
  }

  get state(): CallState {
    return this.#state;
  }

  get over(): boolean {
    return this.#over;
  }

  /** Rings more people. @throws ProtocolError `call_not_joined`, `call_full`, `call_ended`, `rung_too_often` */
  invite(caller: DeviceCaller, users: readonly UserId[]): Promise<wire.Call> {
    return this.#run(caller, () => {
      this.#seatOf(caller);
      const { rules, clock, newId } = this.#services;
      const by = caller.session.userId;
      const now = clock.now();
      // Whether there is room is asked first: what is refused for that has not rung anybody.
      state.invite(this.#state, users, { by, busy: new Set(), now }, newId);
      const busy = rules.admitRings(by, state.absentOf(this.#state, users), now);
      this.#apply(state.invite(this.#state, users, { by, busy, now }, newId));
      return state.toWire(this.#state);
    });
  }

  /**
   * Puts the caller in the call.
   * @throws ProtocolError `call_full`, `call_ended`, `media_rejected`, `rate_limited` after a flood, `too_many_calls`,
   *   `unavailable`
   */
  join(caller: DeviceCaller, rtpCapabilities: RtpCapabilities) {
    return this.#run(caller, async () => {
      const { userId, deviceId } = caller.session;
      const joined = state.join(this.#state, { userId, deviceId });
      const member = state.memberOf(joined, userId);
      if (member === undefined) throw new ProtocolError('call_unknown', 'no such call');
      const { participantId, rungBy } = member;
      const seated = this.#services.rules.takeSeat(userId, this.#state.callId, this.#services.clock.now());
      const options: SeatOptions = { userId, deviceId, participantId, connectionId: caller.connectionId };
      const { seat, consumers } = await this.#sit(options, rtpCapabilities, joined).finally(seated);
      if (rungBy !== null) this.#services.rules.answered(rungBy, userId);
      return {
        call: state.toWire(this.#state),
        participantId,
        sendTransport: seat.peer.sendTransport,
        receiveTransport: seat.peer.receiveTransport,
        consumers,
      };
    });
  }

  decline(userId: UserId, reason: 'declined' | 'busy'): Promise<void> {
    return this.#queue.run(userId, () => this.#apply(state.decline(this.#state, userId, reason)));
  }

  /** Takes the caller out. Only the device that is in the call may; without effect for one who is not in it. */
  leave(caller: DeviceCaller): Promise<void> {
    const { userId, deviceId } = caller.session;
    return this.#queue.run(userId, () => {
      const member = state.memberOf(this.#state, userId);
      if (member === undefined || member.deviceId === null) return;
      if (member.deviceId !== deviceId) throw new ProtocolError('call_not_joined', 'another device is in this call');
      this.#media.release(userId);
      this.#apply(state.leave(this.#state, userId));
    });
  }

  /** Starts sending a source. Returns the producer's id. */
  produce(caller: DeviceCaller, options: ProduceOptions): Promise<string> {
    return this.#run(caller, async () => {
      const producerId = await this.#media.produce(this.#seatOf(caller), options);
      this.#updateLive(caller.session.userId);
      return producerId;
    });
  }

  setProducer(caller: DeviceCaller, producerId: string, to: 'live' | 'paused' | 'closed'): Promise<void> {
    return this.#run(caller, async () => {
      const producer = this.#seatOf(caller).peer.producer(producerId);
      // One already closed is what a repeated request finds.
      if (producer === undefined && to === 'closed') return;
      if (producer === undefined) throw new ProtocolError('media_rejected', 'no such producer');
      if (to === 'closed') producer.close();
      else await producer.setPaused(to === 'paused');
      this.#updateLive(caller.session.userId);
    });
  }

  /** The caller's hold on the media server. @throws ProtocolError `call_not_joined` */
  seatOf(caller: DeviceCaller): Seat {
    return this.#seatOf(caller);
  }

  /** Whether this connection has a seat. */
  holds(connectionId: string): boolean {
    return this.#media.seats.some((seat) => seat.connectionId === connectionId);
  }

  /** Frees whatever this connection held; its participants have `REJOIN_MS` to come back. */
  disconnected(connectionId: string): Promise<void> {
    return this.#queue.run(SERVER, () => {
      for (const { userId } of this.#media.seats.filter((seat) => seat.connectionId === connectionId)) {
        this.#media.release(userId);
        this.#apply(state.disconnect(this.#state, userId, this.#services.clock.now()));
      }
    });
  }

  /** Ends the call for everybody. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelTimer();
    this.#media.close();
    const { callId } = this.#state;
    for (const { userId } of this.#state.members) this.#services.events.toUser(userId, wire.ended, { callId });
    this.#services.ended(this);
  }

  #run<T>({ session }: DeviceCaller, task: () => T | Promise<T>): Promise<T> {
    return this.#queue.run(session.userId, () => {
      if (this.#over) throw new ProtocolError('call_ended', 'the call has ended');
      return task();
    });
  }

  async #sit(options: SeatOptions, rtpCapabilities: RtpCapabilities, joined: CallState) {
    try {
      const sitting = await this.#media.sit(options, rtpCapabilities);
      this.#apply(joined);
      return sitting;
    } catch (error) {
      // The earlier seat is already given up, so whoever was in the call is so no longer.
      this.#apply(state.disconnect(this.#state, options.userId, this.#services.clock.now()));
      if (ProtocolError.is(error, 'unavailable')) this.#keepPlace(options);
      throw error;
    }
  }

  /** Who asks while the media server is away is there; the call is not to end for want of media. */
  #keepPlace({ userId, deviceId }: SeatOptions): void {
    if (this.#over || state.memberOf(this.#state, userId)?.deviceId !== deviceId) return;
    this.#state = state.keepPlace(this.#state, userId, this.#services.clock.now());
    this.#schedule();
  }

  #seatOf({ connectionId, session }: DeviceCaller): Seat {
    const seat = this.#media.seat(session.userId);
    if (seat?.connectionId !== connectionId) throw new ProtocolError('call_not_joined', 'not in this call');
    return seat;
  }

  #updateLive(userId: UserId): void {
    this.#apply(state.setLive(this.#state, userId, this.#media.live(userId)));
  }

  #apply(next: CallState): void {
    if (this.#over || next === this.#state) return;
    const before = this.#state;
    this.#state = next;
    this.#announce(before);
    if (state.hasEnded(next)) this.end();
    else this.#schedule();
  }

  /** Rings whoever rings anew, and shows the change to everybody else who was ever asked. */
  #announce(before: CallState | null): void {
    const call = state.toWire(this.#state);
    for (const member of this.#state.members) {
      const was = before === null ? undefined : state.memberOf(before, member.userId);
      const rings = member.state === 'ringing' && was?.state !== 'ringing';
      this.#services.events.toUser(member.userId, rings ? wire.ringing : wire.updated, { call });
    }
  }

  #schedule(): void {
    this.#cancelTimer();
    const deadline = state.nextDeadline(this.#state);
    if (deadline === null) return;
    const { clock, logger } = this.#services;
    this.#cancelTimer = clock.after(Math.max(0, deadline - clock.now()), () => {
      this.#queue
        .run(SERVER, () => {
          this.#apply(state.expire(this.#state, clock.now()));
          // A timer that fired a moment early has changed nothing and must be set again.
          if (!this.#over) this.#schedule();
        })
        .catch((error: unknown) => logger.error({ err: error, callId: this.#state.callId }, 'call timer failed'));
    });
  }

  #mediaListener(): CallMediaListener {
    const { events, logger } = this.#services;
    const { callId } = this.#state;
    return {
      consumerAdded: ({ userId, deviceId }, consumer: ConsumerOptions) =>
        events.toDevice(userId, deviceId, wire.consumerAdded, { callId, consumer }),
      consumerRemoved: ({ userId, deviceId }, consumerId) =>
        events.toDevice(userId, deviceId, wire.consumerRemoved, { callId, consumerId }),
      consumerPaused: ({ userId, deviceId }, consumerId, paused) =>
        events.toDevice(userId, deviceId, wire.consumerPaused, { callId, consumerId, paused }),
      activeSpeaker: (participantId, to) => {
        for (const { userId, deviceId } of to) {
          events.toDevice(userId, deviceId, wire.activeSpeaker, { callId, participantId });
        }
      },
      flooded: (participantId, by) => {
        logger.warn({ callId, participantId, by }, 'a participant flooded the media server');
        void this.#queue.run(SERVER, () => this.#expel(participantId));
      },
      lost: () => {
        logger.warn({ callId }, 'a call lost its media worker');
        void this.#queue.run(SERVER, () => this.#mediaLost());
      },
    };
  }

  #expel(participantId: ParticipantId): void {
    const member = this.#state.members.find((one) => one.participantId === participantId);
    if (member === undefined) return;
    const { userId } = member;
    this.#services.rules.flooded(userId, this.#services.clock.now());
    this.#media.release(userId);
    this.#apply(state.leave(this.#state, userId));
  }

  /** Clients see themselves as `reconnecting` while they are connected, and join again. */
  #mediaLost(): void {
    const now = this.#services.clock.now();
    const unseated = this.#state.members.filter(({ userId }) => this.#media.seat(userId) === undefined);
    this.#apply(unseated.reduce((call, { userId }) => state.disconnect(call, userId, now), this.#state));
  }
}
