import { z } from 'zod';
import { ServerOrigin } from '../../protocol/ipc/server-address.ts';

/** A window's place, in device-independent pixels. */
export const WindowState = z.strictObject({
  x: z.int().min(-100_000).max(100_000),
  y: z.int().min(-100_000).max(100_000),
  width: z.int().min(1).max(100_000),
  height: z.int().min(1).max(100_000),
  maximised: z.boolean(),
});
export type WindowState = z.infer<typeof WindowState>;

export const Settings = z.strictObject({
  version: z.literal(1),
  /** The server that this app belongs to; null until it has been told. */
  serverOrigin: ServerOrigin.nullable(),
  /**
   * The server of a file that did not have this field: profiles of versions that did not note their server belong to it.
   * Null where the app was told its server later.
   */
  firstServerOrigin: ServerOrigin.nullable(),
  /** Null before the first time a window was closed. */
  window: WindowState.nullable(),
});
export type Settings = z.infer<typeof Settings>;

/** As written by versions whose profiles did not note their server. */
const OldSettings = Settings.omit({ firstServerOrigin: true });

const DEFAULTS: Settings = { version: 1, serverOrigin: null, firstServerOrigin: null, window: null };

/** The four things that a settings file needs of `node:fs`. */
export interface SettingsFiles {
  readFileSync(path: string, encoding: 'utf8'): string;
  writeFileSync(path: string, text: string, options: { mode: number; flush: true }): void;
  renameSync(from: string, to: string): void;
  mkdirSync(path: string, options: { recursive: true }): unknown;
}

/** Notes the server of an older file before another one can take its place. */
function withFirst(file: unknown): unknown {
  const old = OldSettings.safeParse(file);
  return old.success ? { ...old.data, firstServerOrigin: old.data.serverOrigin } : file;
}

/**
 * What the shell remembers between starts, in one small file. Never a secret. A file that cannot be understood is
 * put aside (with `.unreadable` at its end) rather than written over, and the app starts with the defaults.
 */
export class SettingsStore {
  readonly #folder: string;
  readonly #path: string;
  readonly #files: SettingsFiles;
  #settings: Settings;

  /** @param path - With forward slashes or the system's own; its folder is made when something is first kept. */
  constructor(path: string, files: SettingsFiles) {
    this.#path = path;
    this.#folder = path.replace(/[/\\][^/\\]*$/, '');
    this.#files = files;
    this.#settings = this.#read();
  }

  get current(): Settings {
    return this.#settings;
  }

  /** Changes some settings and keeps them durably: written beside, then put in place, so a power cut leaves old or new. */
  update(changes: Partial<Omit<Settings, 'version'>>): void {
    const next = Settings.parse({ ...this.#settings, ...changes });
    this.#files.mkdirSync(this.#folder, { recursive: true });
    const beside = `${this.#path}.new`;
    this.#files.writeFileSync(beside, `${JSON.stringify(next, null, 2)}\n`, { mode: 0o600, flush: true });
    this.#files.renameSync(beside, this.#path);
    this.#settings = next;
  }

  #read(): Settings {
    let text: string;
    try {
      text = this.#files.readFileSync(this.#path, 'utf8');
    } catch {
      return DEFAULTS;
    }
    try {
      return Settings.parse(withFirst(JSON.parse(text)));
    } catch {
      this.#files.renameSync(this.#path, `${this.#path}.unreadable`);
      return DEFAULTS;
    }
  }
}
