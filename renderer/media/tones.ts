/** The sounds around a call. Each starts at once and ends the moment its returned function is called. */
export interface Tones {
  /** Somebody calls. */
  ring(): () => void;
  /** The other side is being rung. */
  ringBack(): () => void;
}

/** One note: frequency in Hz, start in seconds from the beginning of the pattern. */
type Note = readonly [frequency: number, at: number];

interface Pattern {
  readonly notes: readonly Note[];
  /** Seconds until the pattern starts again. */
  readonly period: number;
  /** Loudness of the loudest note, 0 to 1. */
  readonly level: number;
}

/** G major with the sixth, struck softly and left to fade, like cups set down. */
const RING: Pattern = {
  notes: [
    [783.99, 0],
    [987.77, 0.16],
    [1174.66, 0.32],
    [1318.51, 0.56],
  ],
  period: 2.8,
  level: 0.2,
};
const RING_BACK: Pattern = {
  notes: [
    [392, 0],
    [493.88, 0.2],
  ],
  period: 3.6,
  level: 0.07,
};
const FADE_SECONDS = 1.3;

/** Tones synthesised by WebAudio, so that nothing has to be loaded at the moment somebody calls. */
export function createTones(createContext: () => AudioContext = () => new AudioContext()): Tones {
  return {
    ring: () => play(createContext, RING),
    ringBack: () => play(createContext, RING_BACK),
  };
}

function play(createContext: () => AudioContext, pattern: Pattern): () => void {
  // A page that nobody has touched may not sound; the notification and the screen have to do.
  if (typeof navigator === 'undefined' || !navigator.userActivation?.hasBeenActive) return () => {};
  const context = createContext();
  const round = () => {
    for (const [frequency, at] of pattern.notes) strike(context, frequency, context.currentTime + at, pattern.level);
  };
  round();
  const timer = setInterval(round, pattern.period * 1000);
  return () => {
    clearInterval(timer);
    void context.close().catch(() => {});
  };
}

/** A sine with a quieter octave above it, a quick attack and a long exponential fade. */
function strike(context: AudioContext, frequency: number, at: number, level: number): void {
  for (const [multiple, share] of [
    [1, 1],
    [2, 0.25],
  ] as const) {
    const oscillator = new OscillatorNode(context, { type: 'sine', frequency: frequency * multiple });
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.setValueAtTime(0.0001, at);
    gain.gain.exponentialRampToValueAtTime(level * share, at + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + FADE_SECONDS);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(at);
    oscillator.stop(at + FADE_SECONDS);
  }
}
