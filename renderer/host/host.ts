/** What the shell offers. Electron answers through its preload bridge, a browser by itself; modules see only this. */
export interface Host {
  readonly kind: 'electron' | 'browser';
  /** For the list of sessions, for example "Teahouse 0.1.0 on Linux". */
  readonly clientName: string;
  /** A default name for this device, for example "Chrome on Linux". */
  readonly deviceName: string;
  /**
   * The server this client belongs to, as an https or http origin; null until the desktop app has been told. The same
   * for as long as the page is loaded.
   */
  serverOrigin(): Promise<string | null>;
  /** Where profiles of versions that did not note their server are. Null if that is not known. */
  firstServerOrigin(): Promise<string | null>;
  setServerOrigin(origin: string): Promise<void>;
  /**
   * Seals and opens small secrets with a key that the operating system keeps (Electron's safeStorage). Null where there
   * is none: then the key at rest is a non-extractable CryptoKey in IndexedDB.
   */
  readonly secrets: SecretStore | null;
  /** Shows a notification of the system; `onClick` brings the window to the front and runs. Content stays on this machine. */
  notify(input: {
    readonly title: string;
    readonly body: string;
    readonly tag: string;
    readonly onClick: () => void;
  }): void;
  setBadge(count: number): void;
  /** An invitation or other deep link that the system handed to the app. Returns the undo. */
  onDeepLink(listener: (hash: string) => void): () => void;
}

export interface SecretStore {
  seal(plain: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  open(sealed: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}
