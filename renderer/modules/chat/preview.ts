import type { Catalog } from '../../i18n/en.ts';
import type { Message } from './model.ts';

/** More than a line of a list ever shows, in UTF-16 code units. */
const LONGEST = 300;

/** One line that stands for a message in a list. */
export function previewOf(message: Message, catalog: Catalog): string {
  const { body } = message;
  switch (body.kind) {
    case 'text':
      return firstLine(body.text);
    case 'call':
      return catalog.chat.call(body.media, body.outcome, message.mine);
    case 'unreadable':
      return catalog.chat.unreadable;
  }
}

/** Of a long text only the beginning: laying 10,000 characters out for one line is slow. Never half a character. */
function firstLine(text: string): string {
  const beginning = text.trimStart().slice(0, LONGEST);
  return beginning.replace(/[\ud800-\udbff]$/, '').replaceAll(/\s+/gu, ' ');
}
