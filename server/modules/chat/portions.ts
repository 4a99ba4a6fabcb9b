import { LIMITS } from './limits.ts';

/** An envelope on the wire without its payload and key, in characters: ids, names of fields. */
const AROUND_ENVELOPE = 320;

/** How many of these envelopes, from the first on, fit; one in any case. */
export function countFitting(sizes: readonly { payloadBytes: number; keyBytes: number }[], characters: number): number {
  let used = 0;
  const over = sizes.findIndex(({ payloadBytes, keyBytes }) => {
    used += base64Length(payloadBytes) + base64Length(keyBytes) + AROUND_ENVELOPE;
    return used > characters;
  });
  return over < 0 ? sizes.length : Math.max(1, over);
}

function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

/** A copy that left a queue: its message, and how long that may be. */
export interface Removed {
  readonly position: number;
  readonly bytes: number;
}

/** The positions, each once, in lists that are short and whose messages are. */
export function inSteps(removed: readonly Removed[]): number[][] {
  const steps: number[][] = [];
  const seen = new Set<number>();
  let left = 0;
  for (const { position, bytes } of removed) {
    if (seen.has(position)) continue;
    seen.add(position);
    let step = steps.at(-1);
    if (step === undefined || step.length >= LIMITS.deletedMessages.value || bytes > left) {
      steps.push((step = []));
      left = LIMITS.deletedBytes.value;
    }
    step.push(position);
    left -= bytes;
  }
  return steps;
}
