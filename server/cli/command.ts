/** What a command gets from the process; tests give their own. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** One line to standard output. */
  readonly say: (line: string) => void;
}

export interface Command {
  readonly summary: string;
  readonly usage: string;
  /** `argv`: what follows the command's name. Throws UsageError. */
  readonly run: (argv: readonly string[], terminal: Terminal) => Promise<void>;
}

/** The command was called in a way that cannot work; `message` says what to type instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
