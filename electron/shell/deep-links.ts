import { DEEP_LINK_SCHEME, parseDeepLink, type ServerAddress } from '../../protocol/ipc/server-address.ts';

/** The deep link among a program's arguments, which is how Windows and Linux hand one over. */
export function deepLinkIn(argv: readonly string[]): ServerAddress | null {
  const link = argv.find((argument) => argument.toLowerCase().startsWith(`${DEEP_LINK_SCHEME}:`));
  return link === undefined ? null : parseDeepLink(link);
}

/** What a deep link brought for the page: one of the two at most. */
export type DeepLinkTokens = Pick<ServerAddress, 'invitation' | 'reset'>;

const NOTHING: DeepLinkTokens = { invitation: null, reset: null };

export interface DeepLinksOptions {
  readonly serverOrigin: () => string | null;
  /** Asks whether the app should belong to `wanted` (instead of `present`). */
  readonly confirmServer: (wanted: string, present: string | null) => Promise<boolean>;
  /** Keeps the server and loads the interface anew; the new page takes the token when it starts. */
  readonly setServer: (origin: string) => Promise<void>;
  /** Tells the page that is there that there is something to take. */
  readonly announce: () => void;
}

/**
 * Invitations, and links to a new password, that arrive by deep link. Any web page can make the system open one, so a
 * link never changes which server the app talks to unless the person agrees.
 */
export class DeepLinks {
  readonly #options: DeepLinksOptions;
  #pending: DeepLinkTokens = NOTHING;
  #asking = false;

  constructor(options: DeepLinksOptions) {
    this.#options = options;
  }

  async open(address: ServerAddress): Promise<void> {
    const { serverOrigin, setServer, announce } = this.#options;
    if (address.origin === serverOrigin()) {
      this.#pending = tokensOf(address);
      announce();
      return;
    }
    // One question at a time: a page that opens a hundred links gets one dialog.
    if (!(await this.agree(address.origin))) return;
    this.#pending = tokensOf(address);
    await setServer(address.origin);
  }

  /**
   * Asks whether the app shall belong to another server, one question at a time: false while another one is open. Also
   * for what the page asks, so that no code in it can change the server by itself.
   */
  async agree(wanted: string): Promise<boolean> {
    const present = this.#options.serverOrigin();
    if (wanted === present) return true;
    if (this.#asking) return false;
    this.#asking = true;
    return this.#options.confirmServer(wanted, present).finally(() => (this.#asking = false));
  }

  /** Hands the token over, once. It survives a page that is loaded anew before taking it. */
  take(): DeepLinkTokens {
    const tokens = this.#pending;
    this.#pending = NOTHING;
    return tokens;
  }
}

function tokensOf({ invitation, reset }: ServerAddress): DeepLinkTokens {
  return { invitation, reset };
}
