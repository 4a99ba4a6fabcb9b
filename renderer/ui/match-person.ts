/**
 * Whether a person is meant by what was typed: every word begins a word of the display name, or stands in the
 * username. Without case and accents: "Zoë" is found by "zoe". Finds all that the server's search finds, and more.
 */
export function matchesPerson(
  person: { readonly displayName: string; readonly username: string },
  text: string,
): boolean {
  const names = fold(person.displayName).split(/[\s-]+/u);
  const wanted = fold(text).split(/\s+/u).filter(Boolean);
  return wanted.every((word) => person.username.includes(word) || names.some((name) => name.startsWith(word)));
}

/** Longest text that is looked at: names have 64. Putting a long run of accents in order takes more than linear time. */
const LONGEST = 256;

function fold(text: string): string {
  return text.slice(0, LONGEST).normalize('NFKD').replaceAll(/\p{M}/gu, '').toLocaleLowerCase();
}
