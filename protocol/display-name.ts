import { z } from 'zod';

/** As earlier versions took it; what they stored must stay readable. */
export const ShownName = z
  .string()
  .min(1)
  .max(64, { abort: true })
  .regex(/^[^\p{Cc}\u202a-\u202e\u2066-\u2069]+$/u)
  .refine((name) => name.trim() === name, { message: 'must not begin or end with a space' });

/** Longest display name in UTF-16 code units. */
export const MAX_DISPLAY_NAME = 64;

/** ZERO WIDTH NON-JOINER and JOINER: letters of some scripts are spelled with them (RFC 5892 appendix A.1 and A.2). */
const JOINERS = /[\u200c\u200d]/gu;
const VIRAMA =
  '[\\u094d\\u09cd\\u0a4d\\u0acd\\u0b4d\\u0bcd\\u0c4d\\u0ccd\\u0d3b\\u0d3c\\u0d4d\\u0dca\\u1039\\u103a\\u17d2]';
const JOINER_IN_PLACE = new RegExp(
  `(?<=${VIRAMA})[\\u200c\\u200d]|(?<=\\p{Script=Arabic})\\u200c(?=\\p{Script=Arabic})`,
  'gu',
);
/** Control, format, private and unassigned characters, and those that are nothing to be seen. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;
const ODD_SPACE = /(?! )\p{Zs}| {2}/u;
/** More marks on one letter than any script's spelling needs. */
const STACKED = /\p{Mn}{5}/u;

const SCRIPTS = [
  'Latin',
  'Greek',
  'Cyrillic',
  'Armenian',
  'Hebrew',
  'Arabic',
  'Syriac',
  'Thaana',
  'Devanagari',
  'Bengali',
  'Gurmukhi',
  'Gujarati',
  'Oriya',
  'Tamil',
  'Telugu',
  'Kannada',
  'Malayalam',
  'Sinhala',
  'Thai',
  'Lao',
  'Tibetan',
  'Myanmar',
  'Georgian',
  'Ethiopic',
  'Cherokee',
  'Canadian_Aboriginal',
  'Khmer',
  'Mongolian',
  'Han',
  'Hiragana',
  'Katakana',
  'Bopomofo',
  'Hangul',
].map((name) => ({ name, pattern: new RegExp(`\\p{Script=${name}}`, 'u') }));
const OTHER_SCRIPT = new RegExp(
  `(?![${SCRIPTS.map(({ name }) => `\\p{Script=${name}}`).join('')}\\p{Script=Common}\\p{Script=Inherited}])\\p{L}`,
  'u',
);
/** Written together in one word: "阿Q", "お茶", "K팝". */
const MIXING = new Set(['Latin', 'Han', 'Hiragana', 'Katakana', 'Bopomofo', 'Hangul']);

/** What a person typed, with the spaces and accents that are meant: NFC, single spaces, none around it. */
export function tidyDisplayName(text: string): string {
  return text.normalize('NFC').replace(/\s+/gu, ' ').trim();
}

/**
 * What people see; any script. Refused is what looks like nothing or like another name: invisible characters, letters of
 * several alphabets in one word (Unicode Technical Standard 39, moderately restrictive, word by word), towers of marks.
 */
export const DisplayName = z
  .string()
  .min(1)
  // What follows takes time that grows with the square of the length.
  .max(MAX_DISPLAY_NAME, { abort: true })
  .refine((name) => name === tidyDisplayName(name) && !ODD_SPACE.test(name), { message: 'must be tidy (NFC)' })
  .refine((name) => !INVISIBLE.test(withoutJoiners(name)), { message: 'must hold no invisible characters' })
  .refine((name) => /[\p{L}\p{N}]/u.test(name) && !/^\p{M}/u.test(name), { message: 'must hold a letter or digit' })
  .refine((name) => !STACKED.test(name.normalize('NFD')), { message: 'must not stack marks' })
  .refine((name) => name.split(/[^\p{L}\p{M}\p{N}]+/u).every(isOneScript), {
    message: 'must not mix alphabets in a word',
  });

function withoutJoiners(name: string): string {
  const left = name.replace(JOINER_IN_PLACE, '');
  return left.replace(JOINERS, '\0');
}

function isOneScript(word: string): boolean {
  const found = SCRIPTS.filter(({ pattern }) => pattern.test(word)).map(({ name }) => name);
  if (OTHER_SCRIPT.test(word)) found.push('other');
  return found.length <= 1 || found.every((name) => MIXING.has(name));
}
