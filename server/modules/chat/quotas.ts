import { LIMITS as STORE_LIMITS } from '../../store/limits.ts';
import { LIMITS } from './limits.ts';
import type { Quotas } from './room.ts';

/** The limits as they stand. `factor` widens what one account may send in an hour and in a week; 1 in production. */
export function defaultQuotas(totalBytes: number, factor: number): Quotas {
  return {
    totalBytes,
    keptAnswers: STORE_LIMITS.keptAnswers.value * factor,
    senderBytesPerHour: LIMITS.senderBytesPerHour.value * factor,
    senderOverheadBytes: LIMITS.senderOverheadBytes.value,
    senderBurstBytes: LIMITS.senderBurstBytes.value * factor,
    copyOverheadBytes: LIMITS.copyOverheadBytes.value,
    senderCopiedBytesPerHour: LIMITS.senderCopiedBytesPerHour.value * factor,
    senderCopiedBurstBytes: LIMITS.senderCopiedBurstBytes.value * factor,
    senderShare: LIMITS.senderShare.value,
    senderWaitingBytes: LIMITS.senderWaitingBytes.value,
    senderWaitingMessages: LIMITS.senderWaitingMessages.value,
    queueBytes: LIMITS.queueBytes.value,
    queueMessages: LIMITS.queueMessages.value,
    senderCounts: LIMITS.senderCounts.value,
  };
}
