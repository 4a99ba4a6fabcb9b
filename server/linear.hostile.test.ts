import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { MessageContent } from '../protocol/chat.ts';
import { EVENTS, METHODS } from '../protocol/contract.ts';
import { FRAME, frameTexts, hostileTexts, LENGTH, slowOn } from '../protocol/testing/hostile-text.ts';
import { fold, wordsOf } from './modules/contacts/words.ts';
import { textsOf } from './testing/schema-values.ts';

/** Every text that crosses the wire, by name; those of one schema once. */
function textFields() {
  const schemas = [
    ...METHODS.flatMap(({ name, params, result }) => [[name, params] as const, [`${name} answer`, result] as const]),
    ...EVENTS.map(({ name, params }) => [name, params] as const),
    ['content', MessageContent] as const,
  ];
  const texts = schemas.flatMap(([name, schema]) =>
    textsOf(schema).map(({ path, schema: text }) => [`${name}: ${path.join('.')}`, text] as const),
  );
  return [...new Map(texts.map(([name, schema]) => [schema, name]))].map(([schema, name]) => [name, schema] as const);
}

describe('every text on the wire', () => {
  const texts = [...hostileTexts(LENGTH), ...frameTexts()];
  const longest = [...hostileTexts(FRAME)];
  test.each(textFields())(
    '%s is checked quickly',
    (_, schema) => {
      // A pattern is quick by its making; what code looks at is looked at with all there is.
      const tried = checksByCode(schema) ? [...texts, ...longest] : texts;
      expect(slowOn(tried, (text) => schema.safeParse(text))).toEqual([]);
    },
    120_000,
  );
});

function checksByCode({ def }: z.ZodType): boolean {
  const { checks = [] } = def as {
    readonly checks?: readonly { readonly _zod: { readonly def: { readonly check: string } } }[];
  };
  return checks.some(({ _zod }) => ['custom', 'overwrite'].includes(_zod.def.check));
}

/** Longest text that is folded: a display name, or what is searched for. */
const NAME = 64;

describe('a name or a search of whatever characters', () => {
  const texts = [...hostileTexts(NAME)];
  test.each(Object.entries({ fold, wordsOf }))('%s is quick', (_, run) => expect(slowOn(texts, run)).toEqual([]));
});
