import type { SessionId } from '../../../protocol/ids.ts';
import type { Bus } from '../../bus/bus.ts';
import type { Log } from '../../log.ts';
import type { EventSink } from '../../ws/event-sink.ts';
import type { PasswordHasher } from './passwords.ts';
import type { SessionLifetime } from './sessions.ts';
import type { SignInLimits } from './sign-in-limits.ts';
import type { StandingDeps } from './standing.ts';

export interface AccountsDeps extends StandingDeps {
  readonly bus: Bus;
  readonly events: EventSink;
  readonly organisation: string;
  /** The addresses of this server that a sign-in proof may name. */
  readonly origins: () => readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** The time by which things are too old: see `AgeClock`. */
  readonly agesBy: () => number;
  readonly passwords: PasswordHasher;
  readonly signInLimits: SignInLimits;
  readonly sessionLifetime: SessionLifetime;
  /** Sessions that are connected to this process. */
  readonly liveSessions: () => readonly SessionId[];
  /** Told once devices are gone with their account and that is committed. */
  readonly devicesGone: () => void;
  readonly log: Log;
}
