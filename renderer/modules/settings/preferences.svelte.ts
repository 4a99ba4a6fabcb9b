import { z } from 'zod';

export const Theme = z.enum(['system', 'light', 'dark']);
export type Theme = z.infer<typeof Theme>;

/** Of this device only, and nothing secret: they apply before anybody has signed in. */
const Stored = z.object({
  theme: Theme.catch('system'),
  /** BCP 47 tag of a chosen language; null follows the system. */
  language: z.string().max(35).nullable().catch(null),
});
type Stored = z.infer<typeof Stored>;

/** Also read by public/theme.js, before the first paint. */
const KEY = 'teahouse.preferences';

/** How the interface looks and speaks on this device. Reactive; kept in local storage. */
export class Preferences {
  readonly #storage: Pick<Storage, 'getItem' | 'setItem'> | null;
  #stored = $state.raw<Stored>({ theme: 'system', language: null });

  /** `storage`: null where the browser refuses it; then choices last as long as the window. */
  constructor(storage: Pick<Storage, 'getItem' | 'setItem'> | null) {
    this.#storage = storage;
    this.#stored = Stored.parse(this.#read());
  }

  get theme(): Theme {
    return this.#stored.theme;
  }
  set theme(theme: Theme) {
    this.#write({ ...this.#stored, theme });
  }
  get language(): string | null {
    return this.#stored.language;
  }
  set language(language: string | null) {
    this.#write({ ...this.#stored, language });
  }

  #read(): unknown {
    try {
      return z.looseObject({}).parse(JSON.parse(this.#storage?.getItem(KEY) ?? '{}'));
    } catch {
      return {};
    }
  }

  #write(stored: Stored): void {
    this.#stored = stored;
    try {
      this.#storage?.setItem(KEY, JSON.stringify(stored));
    } catch {
      // Full or refused: the choice still holds in this window.
    }
  }
}
