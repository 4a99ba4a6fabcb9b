/**
 * A bound on what somebody outside can cost a server or a client. Every folder keeps its own in a `limits.ts` that exports
 * `LIMITS`; `docs/limits.md` is made from all of them.
 */
export interface Limit {
  readonly value: number;
  /** What `value` counts, in words: "bytes", "calls for each account", "milliseconds". */
  readonly unit: string;
  /** What would happen without it, or why it is not lower. One sentence. */
  readonly reason: string;
}

export type Limits = Readonly<Record<string, Limit>>;
