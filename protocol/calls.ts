import { z } from 'zod';
import { CallMedia } from './chat.ts';
import { CallId, DeviceId, Timestamp, UserId, Uuid } from './ids.ts';
import { DtlsParameters, IceCandidates, IceParameters, MediaId, RtpCapabilities, RtpParameters } from './media.ts';
import { event, mutation, Nothing, query, setter } from './method.ts';

/** People in one call. */
export const MAX_PARTICIPANTS = 8;
/** How long a call rings, and how long a participant whose connection dropped keeps their place. Milliseconds. */
export const RING_MS = 45_000;
export const REJOIN_MS = 15_000;
/** Everybody who was ever asked into one call: inviting again and again cannot grow it without end. */
export const MAX_MEMBERS = 32;
/** Calls in one answer of `calls.active`. */
export const MAX_ACTIVE_CALLS = 12;

export const ParticipantId = Uuid.brand<'ParticipantId'>();
export type ParticipantId = z.infer<typeof ParticipantId>;

export const Source = z.enum(['microphone', 'camera', 'screen', 'screen-audio']);
export type Source = z.infer<typeof Source>;

export const ParticipantState = z.enum(['ringing', 'joined', 'reconnecting', 'declined', 'busy', 'missed', 'left']);
export type ParticipantState = z.infer<typeof ParticipantState>;

export const Participant = z.strictObject({
  /** One person is one participant of a call; joining again from another device moves them there. */
  participantId: ParticipantId,
  userId: UserId,
  /** The device that is in the call. */
  deviceId: DeviceId.nullable(),
  state: ParticipantState,
  /** The sources this participant sends now and is not pausing. */
  live: z.array(Source).max(4),
  /** Who asked this person last; null for the starter. Servers before this do not say it. */
  rungBy: UserId.nullable().optional(),
});
export type Participant = z.infer<typeof Participant>;

export const Call = z.strictObject({
  callId: CallId,
  media: CallMedia,
  startedBy: UserId,
  startedAt: Timestamp,
  /** Rises with every change, so that a late one is recognised. */
  revision: z.int().min(1),
  /** Earlier servers kept up to 64. */
  participants: z.array(Participant).max(64),
});
export type Call = z.infer<typeof Call>;

export const TransportOptions = z.strictObject({
  id: MediaId,
  iceParameters: IceParameters,
  iceCandidates: IceCandidates,
  dtlsParameters: DtlsParameters,
});
export type TransportOptions = z.infer<typeof TransportOptions>;

export const ConsumerOptions = z.strictObject({
  consumerId: MediaId,
  producerId: MediaId,
  participantId: ParticipantId,
  source: Source,
  kind: z.enum(['audio', 'video']),
  rtpParameters: RtpParameters,
  producerPaused: z.boolean(),
});
export type ConsumerOptions = z.infer<typeof ConsumerOptions>;

/** The same for every call of this server, so a client loads its mediasoup Device before it joins. */
export const capabilities = query('calls.capabilities', {}, z.strictObject({ routerRtpCapabilities: RtpCapabilities }));

/**
 * Starts a call and rings the others. The starter then joins like anybody, and is `reconnecting` until then (with
 * `RING_MS` to do so). Errors: `user_unknown`, `call_full`, `too_many_calls`, `rung_too_often`.
 */
export const start = mutation(
  'calls.start',
  {
    callId: CallId,
    media: CallMedia,
    invite: z
      .array(UserId)
      .min(1)
      .max(MAX_PARTICIPANTS - 1),
  },
  z.strictObject({ call: Call }),
);

/**
 * Rings more people (again, if they left or missed it). Only who is in the call may. Errors: as `calls.start`, and
 * `call_not_joined`.
 */
export const invite = mutation(
  'calls.invite',
  {
    callId: CallId,
    users: z
      .array(UserId)
      .min(1)
      .max(MAX_PARTICIPANTS - 1),
  },
  z.strictObject({ call: Call }),
);

/**
 * Joins (accepts, or comes back) with everything needed for media in one answer. Consumers begin paused; resume each
 * once it is set up. What an earlier join of this person still held is released.
 * Errors: `call_unknown`, `call_ended`, `call_full`, `media_rejected`, `too_many_calls`.
 */
export const join = mutation(
  'calls.join',
  { callId: CallId, rtpCapabilities: RtpCapabilities },
  z.strictObject({
    call: Call,
    participantId: ParticipantId,
    sendTransport: TransportOptions,
    receiveTransport: TransportOptions,
    consumers: z.array(ConsumerOptions).max((MAX_PARTICIPANTS - 1) * Source.options.length),
  }),
);

export const decline = setter('calls.decline', { callId: CallId, reason: z.enum(['declined', 'busy']) }, Nothing);
export const leave = setter('calls.leave', { callId: CallId }, Nothing);

/**
 * Calls that ring for this account or that it is in (or was, and may come back to), those first and then the newest.
 * Those that it declined are left out.
 */
export const active = query('calls.active', {}, z.strictObject({ calls: z.array(Call) }));

export const connectTransport = setter(
  'calls.connectTransport',
  { callId: CallId, transportId: MediaId, dtlsParameters: DtlsParameters },
  Nothing,
);

export const restartIce = mutation(
  'calls.restartIce',
  { callId: CallId, transportId: MediaId },
  z.strictObject({ iceParameters: IceParameters }),
);

/** Begins to send a source; one producer per source, an earlier one of the same source is closed. */
export const produce = mutation(
  'calls.produce',
  {
    callId: CallId,
    source: Source,
    kind: z.enum(['audio', 'video']),
    rtpParameters: RtpParameters,
    paused: z.boolean(),
  },
  z.strictObject({ producerId: MediaId }),
);

export const setProducer = setter(
  'calls.setProducer',
  { callId: CallId, producerId: MediaId, state: z.enum(['live', 'paused', 'closed']) },
  Nothing,
);

export const setConsumer = setter(
  'calls.setConsumer',
  {
    callId: CallId,
    consumerId: MediaId,
    paused: z.boolean(),
    /** Highest simulcast layer wanted (0 is the smallest) and temporal layer. */
    preferredLayers: z
      .strictObject({ spatialLayer: z.int().min(0).max(2), temporalLayer: z.int().min(0).max(2) })
      .optional(),
  },
  Nothing,
);

export const ringing = event('calls.ringing', { call: Call });
/**
 * Any change of a call, to all devices of everybody ever asked into it; the last one shows how it ended. A device that
 * is in the call and finds its own participant `reconnecting` while connected has lost the media server: join again.
 */
export const updated = event('calls.updated', { call: Call });
export const ended = event('calls.ended', { callId: CallId });
export const consumerAdded = event('calls.consumerAdded', { callId: CallId, consumer: ConsumerOptions });
export const consumerRemoved = event('calls.consumerRemoved', { callId: CallId, consumerId: MediaId });
export const consumerPaused = event('calls.consumerPaused', {
  callId: CallId,
  consumerId: MediaId,
  paused: z.boolean(),
});
export const activeSpeaker = event('calls.activeSpeaker', { callId: CallId, participantId: ParticipantId.nullable() });
