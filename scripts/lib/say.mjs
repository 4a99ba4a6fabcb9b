import process from 'node:process';

const colours = process.stdout.isTTY && !process.env['NO_COLOR'];

/** @param {string} code */
const paint = (code) => (/** @type {string} */ text) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);

export const bold = paint('1');
export const dim = paint('2');
export const red = paint('31');
export const green = paint('32');
export const yellow = paint('33');

/** @param {string} text */
export function say(text) {
  process.stdout.write(`${text}\n`);
}

/**
 * @param {number} milliseconds
 * @returns {string} for example "3.2 s" or "2 min 5 s"
 */
export function duration(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Repeats one line in a terminal; elsewhere writes a line now and then, so that a log shows that work goes on. */
export class Progress {
  #started = Date.now();
  #lastLine = Date.now();
  #text = '';
  /** @type {NodeJS.Timeout} */
  #timer;

  constructor() {
    this.#timer = setInterval(() => this.#tick(), process.stdout.isTTY ? 250 : 1000);
    this.#timer.unref();
  }

  /** @param {string} text what is being done now, for example "compiling 12 of 180" */
  update(text) {
    this.#text = text;
  }

  end() {
    clearInterval(this.#timer);
    if (process.stdout.isTTY) process.stdout.write('\r\u001b[K');
  }

  #tick() {
    const line = `      ${this.#text} (${duration(Date.now() - this.#started)})`;
    if (process.stdout.isTTY) {
      process.stdout.write(`\r\u001b[K${dim(line.slice(0, (process.stdout.columns ?? 80) - 1))}`);
    } else if (Date.now() - this.#lastLine >= 15_000) {
      this.#lastLine = Date.now();
      say(line);
    }
  }
}
