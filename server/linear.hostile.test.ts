import { describe, expect, test } from 'vitest';
import { MessageContent } from '../protocol/chat.ts';
import { EVENTS, METHODS } from '../protocol/contract.ts';
import { hostileTexts, LENGTH, slowOn } from '../protocol/testing/hostile-text.ts';
import { fold, wordsOf } from './modules/contacts/words.ts';
import { fieldsOf } from './testing/schema-values.ts';

/** Every text that crosses the wire, by name; those of one schema once. */
function textFields() {
  const schemas = [
    ...METHODS.flatMap(({ name, params, result }) => [[name, params] as const, [`${name} answer`, result] as const]),
    ...EVENTS.map(({ name, params }) => [name, params] as const),
    ['content', MessageContent] as const,
  ];
  const fields = schemas.flatMap(([name, schema]) =>
    fieldsOf(schema).map((field) => [`${name}: ${field.path.join('.')}`, field.schema] as const),
  );
  const texts = fields.filter(([, { def }]) => (def as { readonly type: string }).type === 'string');
  return [...new Map(texts.map(([name, schema]) => [schema, name]))].map(([schema, name]) => [name, schema] as const);
}

describe('every text on the wire', () => {
  const texts = [...hostileTexts(LENGTH)];
  test.each(textFields())(
    '%s is checked quickly',
    (_, schema) => expect(slowOn(texts, (text) => schema.safeParse(text))).toEqual([]),
    120_000,
  );
});

/** Longest text that is folded: a display name, or what is searched for. */
const NAME = 64;

describe('a name or a search of whatever characters', () => {
  const texts = [...hostileTexts(NAME)];
  test.each(Object.entries({ fold, wordsOf }))('%s is quick', (_, run) => expect(slowOn(texts, run)).toEqual([]));
});
