import { FIRST_MS, LONGEST_MS } from './backoff.ts';
import type { LivenessTimings } from './liveness.ts';

/** All in milliseconds. */
export interface Timings extends LivenessTimings {
  /**
   * How long a socket may take to open, and then hello to be answered, before another attempt is begun beside it. Doubles
   * with each, up to `longestConnect`.
   */
  readonly connect: number;
  readonly longestConnect: number;
  readonly request: number;
  /** Shortest wait between two attempts, and longest. */
  readonly firstWait: number;
  readonly longestWait: number;
  /** Wait between attempts while the machine itself says that there is no network (it may be wrong about localhost). */
  readonly withoutNetwork: number;
  /** How long a connection must have lived for the next failure to begin the backoff anew. */
  readonly stable: number;
  /** A wait for the next attempt that is shorter is no state of its own: the client is still connecting. */
  readonly brief: number;
  /** Until what was refused while resynchronising is asked for again. */
  readonly resyncAgain: number;
  /** How long a connection that was given up may still reach the server, and so replace its successor there. */
  readonly straggler: number;
}

export const TIMINGS: Timings = {
  connect: 4000,
  longestConnect: 60_000,
  request: 15_000,
  firstWait: FIRST_MS,
  longestWait: LONGEST_MS,
  idle: 10_000,
  idleProbe: 5_000,
  waiting: 5_000,
  waitingProbe: 3_000,
  hintProbe: 3_000,
  late: 3_000,
  withoutNetwork: 30_000,
  stable: 5_000,
  brief: 2_000,
  resyncAgain: 10_000,
  straggler: 120_000,
};
