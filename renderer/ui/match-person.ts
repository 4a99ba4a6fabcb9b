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

function fold(text: string): string {
  return text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLocaleLowerCase();
}
