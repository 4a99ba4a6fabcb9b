import type { Bus } from '../../bus/bus.ts';
import type { Store } from '../../store/store.ts';
import type { EventSink } from '../../ws/event-sink.ts';
import type { PasswordHasher } from './passwords.ts';
import type { SignInLimits } from './sign-in-limits.ts';

export interface AccountsDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly events: EventSink;
  readonly organisation: string;
  /** The addresses of this server that a sign-in proof may name. */
  readonly origins: () => readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly passwords: PasswordHasher;
  readonly signInLimits: SignInLimits;
}
