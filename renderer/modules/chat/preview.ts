import type { Catalog } from '../../i18n/en.ts';
import type { Message } from './model.ts';

/** One line that stands for a message in a list. */
export function previewOf(message: Message, catalog: Catalog): string {
  const { body } = message;
  switch (body.kind) {
    case 'text':
      return body.text.replaceAll(/\s+/gu, ' ');
    case 'call':
      return catalog.chat.call(body.media, body.outcome, message.mine);
    case 'unreadable':
      return catalog.chat.unreadable;
  }
}
