import { createContext } from 'svelte';
import { en, type Catalog } from './en.ts';
import { wordsFor } from './errors.ts';
import { createFormat, type Format } from './format.ts';
import { english, regionOf, type Locale } from './locales.ts';

/** The chosen language: its words, its formats, its direction. Reactive. */
export class I18n {
  #locale = $state.raw<Locale>(english);
  #catalog = $state.raw<Catalog>(en);
  readonly #format: Format;

  /** `preferred`: the person's languages with their regions, best first (navigator.languages). */
  constructor(preferred: readonly string[] = []) {
    this.#format = $derived(createFormat(regionOf(this.#locale.tag, preferred), this.#catalog));
  }

  get locale(): Locale {
    return this.#locale;
  }
  /** The words. */
  get t(): Catalog {
    return this.#catalog;
  }
  get format(): Format {
    return this.#format;
  }

  /** Switches the language once its words are loaded, so that no half-translated page is seen. */
  async use(locale: Locale): Promise<void> {
    this.#catalog = await locale.load();
    this.#locale = locale;
  }

  /** The words for a thrown value. */
  error(error: unknown): string {
    return wordsFor(error, this.#catalog);
  }
}

/** `useI18n` in any component; `provideI18n` once, at the root. */
export const [useI18n, provideI18n] = createContext<I18n>();
