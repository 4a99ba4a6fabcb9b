/** One measured figure of a bench. */
export interface Figure {
  /** Dotted name, for example `ratchet.ping_pong`. */
  readonly bench: string;
  readonly value: number;
  /** For example `messages/s` or `ms`. */
  readonly unit: string;
  /** What this figure must reach: at least, or with `lowerIsBetter` at most. */
  readonly target?: number;
  readonly lowerIsBetter?: boolean;
  /** The nearest physical bound, measured in the same run. */
  readonly limit?: { readonly name: string; readonly value: number; readonly unit: string };
}

/** Prints a figure as a table row for people and as one line of JSON for programs. The process fails if it is missed. */
export function report(figure: Figure): void {
  const limit =
    figure.limit === undefined ? '' : `${figure.limit.name} ${amount(figure.limit.value, figure.limit.unit)}`;
  const verdict = verdictOf(figure);
  if (verdict === 'MISSED') process.exitCode = 1;
  const row = [
    figure.bench.padEnd(32),
    amount(figure.value, figure.unit).padStart(22),
    (figure.target === undefined ? '' : `target ${amount(figure.target, figure.unit)}`).padStart(28),
    verdict.padEnd(7),
    limit,
  ];
  console.log(row.join('  ').trimEnd());
  console.log(JSON.stringify(figure));
}

function verdictOf({ value, target, lowerIsBetter = false }: Figure): string {
  if (target === undefined) return '';
  return (lowerIsBetter ? value <= target : value >= target) ? 'reached' : 'MISSED';
}

function amount(value: number, unit: string): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 1 ? 1 : 3;
  return `${value.toLocaleString('en-GB', { maximumFractionDigits: digits })} ${unit}`;
}
