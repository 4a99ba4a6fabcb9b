import type { ErrorCode } from '../../../protocol/errors.ts';
import type { Catalog } from '../../i18n/en.ts';

/** The same bytes are refused again, whenever they are sent. */
const FOR_GOOD: ReadonlySet<ErrorCode> = new Set(['frame_too_large', 'invalid_request', 'user_unknown']);

/** Why a message was not sent and what the person can do, in words. Every code has some. */
export function whyNotSent(failure: ErrorCode, { chat, errors }: Pick<Catalog, 'chat' | 'errors'>): string {
  const ofMessages: Partial<Record<ErrorCode, string>> = chat.notSent;
  return ofMessages[failure] ?? errors[failure];
}

/** Whether trying again can help. What has no reason may pass. */
export function mayRetry(failure: ErrorCode | undefined): boolean {
  return failure === undefined || !FOR_GOOD.has(failure);
}
