import type { UserId } from '../../../protocol/ids.ts';
import { LIMITS } from './limits.ts';

const HOUR_MS = 3_600_000;

/** How often each account has rung another of late without being answered. Times are milliseconds since the epoch. */
export class RingMemory {
  /** By caller and callee, the one rung least recently first. */
  readonly #rings = new Map<string, readonly number[]>();

  mayRing(from: UserId, to: UserId, now: number): boolean {
    return this.#recent(from, to, now).length < LIMITS.ringsPerPairAndHour.value;
  }

  rang(from: UserId, to: UserId, now: number): void {
    const key = keyOf(from, to);
    const rings = [...this.#recent(from, to, now), now];
    this.#rings.delete(key);
    this.#rings.set(key, rings);
    for (const oldest of this.#rings.keys()) {
      const expired = (this.#rings.get(oldest)?.at(-1) ?? 0) <= now - HOUR_MS;
      if (!expired && this.#rings.size <= LIMITS.rememberedRings.value) break;
      this.#rings.delete(oldest);
    }
  }

  /** Whoever is answered is welcome. */
  answered(from: UserId, to: UserId): void {
    this.#rings.delete(keyOf(from, to));
  }

  #recent(from: UserId, to: UserId, now: number): readonly number[] {
    return (this.#rings.get(keyOf(from, to)) ?? []).filter((at) => at > now - HOUR_MS);
  }
}

function keyOf(from: UserId, to: UserId): string {
  return `${from} ${to}`;
}
