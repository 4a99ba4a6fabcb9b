import { en, type Catalog } from './en.ts';

type Phrases = { [key: string]: string | Phrases | ((...values: never[]) => string) };

/** A catalog made from another by wrapping every phrase; functions stay functions. */
export function wrapCatalog<T extends Phrases>(phrases: T, wrap: (phrase: string) => string): T {
  const entries = Object.entries(phrases).map(([key, value]) => {
    if (typeof value === 'string') return [key, wrap(value)];
    if (typeof value === 'function') return [key, (...values: never[]) => wrap(value(...values))];
    return [key, wrapCatalog(value, wrap)];
  });
  return Object.fromEntries(entries) as T;
}

export const pseudo: Catalog = wrapCatalog(en, (phrase) => `\u2067[${phrase}]\u2069`);
