import { en, type Catalog } from './en.ts';

export interface Locale {
  /** BCP 47 tag; also what dates and numbers are formatted by. */
  readonly tag: string;
  /** The language's name in itself. */
  readonly name: string;
  readonly dir: 'ltr' | 'rtl';
  readonly load: () => Promise<Catalog>;
}

export const english: Locale = { tag: 'en', name: 'English', dir: 'ltr', load: () => Promise.resolve(en) };

/** Every language offered. Others than English load when they are chosen. */
export const locales: readonly Locale[] = [english];

/**
 * English with every phrase bracketed and written right to left: shows at a glance what is not translated and what
 * does not mirror. Reached with `?pseudo` only.
 */
export const pseudo: Locale = {
  tag: 'ar',
  name: 'Pseudo',
  dir: 'rtl',
  load: async () => (await import('./pseudo.ts')).pseudo,
};

/** The offered language that suits the person's preferences best; English otherwise. */
export function preferredLocale(preferred: readonly string[], offered: readonly Locale[] = locales): Locale {
  for (const wanted of preferred) {
    const exact = offered.find(({ tag }) => tag.toLowerCase() === wanted.toLowerCase());
    const near = exact ?? offered.find(({ tag }) => languageOf(tag) === languageOf(wanted));
    if (near !== undefined) return near;
  }
  return english;
}

/**
 * The person's own variant of a language, by which dates and times are written: "en-GB" for "en". The language itself
 * if they have none.
 */
export function regionOf(tag: string, preferred: readonly string[]): string {
  const language = languageOf(tag);
  return preferred.find((wanted) => languageOf(wanted) === language) ?? tag;
}

function languageOf(tag: string): string {
  return tag.toLowerCase().split('-')[0] ?? '';
}
