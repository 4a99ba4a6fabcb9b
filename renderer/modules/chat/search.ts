import type { Conversation } from './model.ts';

/** Whether a conversation is meant by what was typed: every word begins a word of the name, or stands in the username. */
export function matchesSearch(conversation: Conversation, text: string): boolean {
  const { displayName, username } = conversation.person;
  const names = fold(displayName).split(/[\s-]+/u);
  const wanted = fold(text).split(/\s+/u).filter(Boolean);
  return wanted.every((word) => username.includes(word) || names.some((name) => name.startsWith(word)));
}

/** Without case and without accents: "Zoë" is found by "zoe". */
function fold(text: string): string {
  return text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLocaleLowerCase();
}
