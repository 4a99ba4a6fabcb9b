/** All in milliseconds. */
export interface LivenessTimings {
  /** Silence at rest after which the line is probed, and how long that may take. Together 15 s. */
  readonly idle: number;
  readonly idleProbe: number;
  /** The same while an answer is waited for. Together 8 s. */
  readonly waiting: number;
  readonly waitingProbe: number;
  /** How long a probe may take that the machine itself gave reason for: another network, a wake-up. */
  readonly hintProbe: number;
  /** A timer that comes later than this was held up: the machine slept, or the page was in the background. */
  readonly late: number;
}

export interface LivenessOptions {
  readonly timings: LivenessTimings;
  /** How much longer than that silence may last; 1 for a line that is known to work. */
  readonly patience: number;
  /** Whether an answer is waited for. */
  readonly isWaiting: () => boolean;
  /** Bytes that wait to leave. While they get fewer, the line lives, however slow it is. */
  readonly buffered: () => number;
  /** Asks the other side for a sign of life. */
  readonly ping: () => void;
  /** Told once. */
  readonly onDead: () => void;
}

const LONGEST_TIMER_MS = 60_000;

interface Probe {
  readonly until: number;
  readonly buffered: number;
  /** It was begun anew after a timer that came late; that is done once. */
  readonly repeated: boolean;
}

/**
 * Watches one connection for silence. TCP alone notices a dead line after minutes. Whatever arrives is a sign of life.
 * One timer is kept, and what arrives does not touch it: it looks at the time when it fires.
 */
export class Liveness {
  readonly #options: LivenessOptions;
  #heardAt = Date.now();
  /** When the first of the requests that wait now was made. */
  #askedAt = 0;
  #probe: Probe | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueAt = Infinity;
  #over = false;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#arm();
  }

  /** Anything arrived. */
  heard(): void {
    this.#heardAt = Date.now();
    this.#probe = null;
  }

  /** A request is about to be made. */
  asked(): void {
    if (!this.#options.isWaiting()) this.#askedAt = Date.now();
    if (this.#probe === null && this.#dueWhileWaiting() < this.#dueAt) this.#arm(this.#dueWhileWaiting());
  }

  /** There is reason to doubt the line: probes it at once. */
  hint(): void {
    if (this.#over) return;
    const { hintProbe } = this.#options.timings;
    if (this.#probe === null) this.#ask(hintProbe, false);
    else this.#probe = { ...this.#probe, until: Math.min(this.#probe.until, Date.now() + hintProbe) };
    this.#arm();
  }

  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #due(): number {
    if (this.#probe !== null) return this.#probe.until;
    const { timings, isWaiting } = this.#options;
    return isWaiting() ? this.#dueWhileWaiting() : this.#heardAt + timings.idle;
  }

  #dueWhileWaiting(): number {
    const { timings, patience } = this.#options;
    return Math.max(this.#heardAt, this.#askedAt) + timings.waiting * patience;
  }

  #arm(dueAt = this.#due()): void {
    clearTimeout(this.#timer);
    if (this.#over) return;
    this.#dueAt = dueAt;
    // Bounded, since a clock that was set back puts it far away, and timers have an end.
    this.#timer = setTimeout(() => this.#look(), Math.min(LONGEST_TIMER_MS, Math.max(0, this.#dueAt - Date.now())));
  }

  #look(): void {
    const { timings, patience, isWaiting } = this.#options;
    const now = Date.now();
    if (this.#heardAt > now || this.#askedAt > now) this.#clockWentBack(now);
    const late = now - this.#dueAt > timings.late;
    if (late && this.#probe?.repeated !== true) this.#ask(timings.hintProbe, this.#probe !== null);
    else if (now < this.#due()) this.#arm();
    else if (this.#probe !== null) this.#judge(this.#probe);
    else this.#ask((isWaiting() ? timings.waitingProbe : timings.idleProbe) * patience, false);
    if (!this.#over) this.#arm();
  }

  /** Counts from now, as if something had just arrived. */
  #clockWentBack(now: number): void {
    this.#heardAt = now;
    this.#askedAt = Math.min(this.#askedAt, now);
    this.#probe = null;
    this.#dueAt = now;
  }

  #ask(ms: number, repeated: boolean): void {
    const { ping, buffered } = this.#options;
    this.#probe = { until: Date.now() + ms, buffered: buffered(), repeated };
    ping();
  }

  /** Nothing came while the probe was under way. */
  #judge(probe: Probe): void {
    const { timings, buffered, onDead } = this.#options;
    const left = buffered();
    if (left > 0 && left < probe.buffered) {
      this.#probe = { until: Date.now() + timings.waitingProbe, buffered: left, repeated: probe.repeated };
      return;
    }
    this.stop();
    onDead();
  }
}
