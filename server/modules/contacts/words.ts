/** Longest word kept or searched; a display name has at most 64 characters. */
const MAX_WORD = 64;

/** Text without case and accents, for finding and ordering: "Zoë Ångström" becomes "zoe angstrom". */
export function fold(text: string): string {
  return (
    text
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .toLowerCase()
      // Letters that Unicode does not take apart.
      .replace(/[ßøæœłđð]/g, (letter) => UNDECOMPOSED[letter] ?? letter)
  );
}

const UNDECOMPOSED: Readonly<Record<string, string>> = { ß: 'ss', ø: 'o', æ: 'ae', œ: 'oe', ł: 'l', đ: 'd', ð: 'd' };

/** The folded words of a text. */
export function wordsOf(text: string): string[] {
  const words = fold(text)
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
  return [...new Set(words.map((word) => word.slice(0, MAX_WORD)))];
}
