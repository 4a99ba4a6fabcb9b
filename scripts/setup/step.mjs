/**
 * What a step may use.
 *
 * @typedef {object} StepContext
 * @property {import('../lib/say.mjs').Progress} progress
 * @property {(sentence: string) => void} note says something that the reader should know and that stops nothing
 * @property {boolean} retry whether to try again what was refused a short while ago
 *
 * One thing that Teahouse needs on this machine.
 *
 * @typedef {object} Step
 * @property {string} name
 * @property {string} why completes "…, because" for the reader who watches it
 * @property {(context: { retry: boolean }) => boolean} isDone quick, since it runs at every start
 * @property {(context: StepContext) => Promise<void>} run throws a SetupError that says what to type
 */

export {};
