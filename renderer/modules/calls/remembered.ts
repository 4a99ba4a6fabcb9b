import { LIMITS } from './limits.ts';

/** The set with one more at its end, and without the oldest beyond `LIMITS.remembered`. */
export function remembering<T>(set: ReadonlySet<T>, one: T): Set<T> {
  const others = [...set].filter((other) => other !== one);
  return new Set([...others.slice(1 - LIMITS.remembered.value), one]);
}
