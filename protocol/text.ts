import { z } from 'zod';

/**
 * Text of one line as people type it and see it, of `min` to `max` UTF-16 code units: no control characters, no
 * separators of lines, no overrides of direction (UAX 9), no half of a surrogate pair. PostgreSQL takes no NUL, and
 * half a pair comes back from a database as another character.
 */
export function oneLine(min: number, max: number) {
  return z
    .string()
    .min(min)
    .max(max)
    .regex(/^[^\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/u);
}

/** Text that is kept as it is, to the last byte: no NUL, and no half of a surrogate pair. */
export function exactText(max: number) {
  return z
    .string()
    .max(max)
    .regex(/^[^\0\p{Cs}]*$/u);
}
