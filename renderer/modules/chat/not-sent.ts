import type { ErrorCode } from '../../../protocol/errors.ts';
import type { Catalog } from '../../i18n/en.ts';
import type { KnownPerson } from '../contacts/model.ts';

/** How the person it was written to stands now; undefined: active, as far as is known. */
type Standing = KnownPerson['status'];

/** The same bytes are refused again, whenever they are sent. */
const FOR_GOOD: ReadonlySet<ErrorCode> = new Set(['frame_too_large', 'invalid_request']);

/** Why a message was not sent and what the person can do, in words. Every code has some. */
export function whyNotSent(
  failure: ErrorCode,
  { chat, errors }: Pick<Catalog, 'chat' | 'errors'>,
  standing?: Standing,
): string {
  if (failure === 'user_unknown') return chat.notReached[standing ?? 'active'];
  const ofMessages: Partial<Record<ErrorCode, string>> = chat.notSent;
  return ofMessages[failure] ?? errors[failure];
}

/** Why the server takes nothing for now, in words that say that nothing is lost. */
export function whyHeldBack(reason: ErrorCode, { chat, errors }: Pick<Catalog, 'chat' | 'errors'>): string {
  const ofWaiting: Partial<Record<ErrorCode, string>> = chat.heldBack;
  return ofWaiting[reason] ?? errors[reason];
}

/** Whether trying again can help. What has no reason may pass, and who was suspended may be let in again. */
export function mayRetry(failure: ErrorCode | undefined, standing?: Standing): boolean {
  if (failure === 'user_unknown') return standing === undefined;
  return failure === undefined || !FOR_GOOD.has(failure);
}
