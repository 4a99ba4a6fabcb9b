import { ErrorCode } from '../../protocol/errors.ts';
import { LATEST_TIME } from '../../protocol/ids.ts';
import type { MessageRow } from '../db/profile-database.ts';
import { microseconds } from '../db/repair-positions.ts';
import type { Message, MessageBody } from '../modules/chat/model.ts';
import { LIMITS } from './limits.ts';
import type { SealedPart } from './message-rows.ts';
import { QUEUED_ORDER } from './queued-message.ts';

const { clockDifferenceMs, callMs, earliestTime } = LIMITS;

/**
 * A message whose numbers can be kept, sorted and shown. A position later than this device's clock allows, or from another century, is taken as now:
 * the message stays, behind what is there, and does not stand at the end of its conversation for ever. A time of sending
 * that is implausible is replaced by that of the position.
 * @param now milliseconds since the Unix epoch
 * @param newest the highest order in the conversation, as far as it is known without looking
 */
export function plausible(message: Message, now: number, newest: number): Message {
  const waiting = message.state === 'queued' || message.state === 'failed';
  const order = waiting ? message.order : plausiblePosition(message.order, now, newest);
  const at = Math.floor(order / 1000);
  const sentAt = waiting || isPlausibleTime(message.sentAt, at) ? message.sentAt : at;
  const body = plausibleBody(message.body);
  const same = order === message.order && sentAt === message.sentAt && body === message.body;
  return same ? message : { ...message, order, sentAt, body };
}

/** @param position microseconds since the Unix epoch, by a server that may say anything */
function plausiblePosition(position: number, now: number, newest: number): number {
  const latest = microseconds(now + clockDifferenceMs.value);
  const earliest = microseconds(earliestTime.value);
  if (Number.isSafeInteger(position) && position >= earliest && position <= latest) return position;
  return Math.max(microseconds(now), newest < latest ? newest + 1 : 0);
}

/** A message may wait for days before it is sent; but it is not sent before it is written. */
function isPlausibleTime(sentAt: number, at: number): boolean {
  return Number.isInteger(sentAt) && sentAt >= earliestTime.value && sentAt <= at + clockDifferenceMs.value;
}

function plausibleBody(body: MessageBody): MessageBody {
  if (body.kind !== 'call' || body.durationMs === null) return body;
  const durationMs = within(body.durationMs, callMs.value);
  return durationMs === body.durationMs ? body : { ...body, durationMs };
}

/** Null stays: it is not known. What is no number becomes 0. */
function within(value: number, max: number): number {
  return Number.isFinite(value) ? Math.min(Math.max(0, Math.floor(value)), max) : 0;
}

const STATES: readonly unknown[] = ['queued', 'sent', 'delivered', 'read', 'failed'];
/** A reason that this version does not know is none. */
const REASONS: readonly unknown[] = ErrorCode.options;
const OUTCOMES: readonly unknown[] = ['ongoing', 'answered', 'missed', 'declined', 'cancelled', 'unanswered'];

/**
 * The sealed part of a stored message, whatever an earlier or later version has written.
 * @param part null if it could not be opened
 */
export function storedPart(part: Partial<SealedPart> | null, { conversation, order }: MessageRow): SealedPart {
  const placed = order < QUEUED_ORDER ? Math.floor(order / 1000) : 0;
  const { sender, body, sentAt, state, failure } = part ?? {};
  return {
    sender: typeof sender === 'string' ? sender : conversation,
    body: storedBody(body),
    sentAt: isShown(sentAt) ? sentAt : Math.min(Math.max(0, placed), LATEST_TIME),
    state: STATES.includes(state) && state !== undefined ? state : null,
    ...(state === 'failed' && REASONS.includes(failure) ? { failure } : {}),
  };
}

function isShown(sentAt: number | undefined): sentAt is number {
  return Number.isInteger(sentAt) && sentAt !== undefined && sentAt >= 0 && sentAt <= LATEST_TIME;
}

/** A kind that this version does not know is unreadable here, as is a body that is not of its kind. */
function storedBody(body: MessageBody | undefined): MessageBody {
  if (body?.kind === 'text' && typeof body.text === 'string') return body;
  if (body?.kind === 'call' && OUTCOMES.includes(body.outcome) && typeof body.callId === 'string') {
    return plausibleBody(body);
  }
  return { kind: 'unreadable' };
}
