/**
 * How one part of the tests went.
 *
 * @typedef {object} Totals
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {string[]} skips what was skipped, and why where that is known
 */

/** @param {boolean} isGood @returns {Totals} of a check that either holds or does not */
export const single = (isGood) => ({ passed: isGood ? 1 : 0, failed: isGood ? 0 : 1, skipped: 0, skips: [] });

/** @param {readonly Totals[]} all @returns {Totals} */
export function sum(all) {
  return {
    passed: all.reduce((count, { passed }) => count + passed, 0),
    failed: all.reduce((count, { failed }) => count + failed, 0),
    skipped: all.reduce((count, { skipped }) => count + skipped, 0),
    skips: all.flatMap(({ skips }) => skips),
  };
}

/** @param {Totals} totals */
export const lastLine = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;

/**
 * A runner that ended badly has failed, also where its report names no failed test (a file that does not load, an error
 * outside of every test).
 *
 * @param {Totals} totals
 * @param {number} exitCode
 */
function withExitCode(totals, exitCode) {
  return exitCode !== 0 && totals.failed === 0 ? { ...totals, failed: 1 } : totals;
}

/**
 * @typedef {object} VitestReport
 * @property {{ assertionResults: { status: string, fullName: string }[] , status: string }[]} testResults
 *
 * @param {VitestReport | undefined} report Vitest's JSON; undefined when there is none
 * @param {number} exitCode
 * @returns {Totals}
 */
export function vitestTotals(report, exitCode) {
  if (!report) return single(false);
  const files = report.testResults;
  const tests = files.flatMap((file) => file.assertionResults);
  const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
  const broken = files.filter((file) => file.status === 'failed' && !file.assertionResults.some(isFailed)).length;
  const totals = {
    passed: tests.filter(({ status }) => status === 'passed').length,
    failed: tests.filter(isFailed).length + broken,
    skipped: skipped.length,
    skips: skipped.map(({ fullName }) => fullName.trim()),
  };
  return withExitCode(totals, exitCode);
}

/** @param {{ status: string }} test */
const isFailed = ({ status }) => status === 'failed';

/**
 * @typedef {{ title: string, specs?: PlaywrightSpec[], suites?: PlaywrightSuite[] }} PlaywrightSuite
 * @typedef {{ title: string, tests: { status: string, annotations?: { type: string, description?: string }[] }[] }} PlaywrightSpec
 * @typedef {{ suites: PlaywrightSuite[] }} PlaywrightReport
 *
 * @param {PlaywrightReport | undefined} report Playwright's JSON; undefined when there is none
 * @param {number} exitCode
 * @returns {Totals}
 */
export function playwrightTotals(report, exitCode) {
  if (!report) return single(false);
  const tests = specsOf(report.suites).flatMap((spec) => spec.tests.map((test) => ({ ...test, title: spec.title })));
  const skipped = tests.filter(({ status }) => status === 'skipped');
  const totals = {
    // A test that passed only when tried again is a failing test.
    passed: tests.filter(({ status }) => status === 'expected').length,
    failed: tests.filter(({ status }) => status === 'unexpected' || status === 'flaky').length,
    skipped: skipped.length,
    skips: skipped.map(({ title, annotations }) => {
      const why = annotations?.find(({ type, description }) => type === 'skip' && description)?.description;
      return why ? `${title}: ${why}` : title;
    }),
  };
  return withExitCode(totals, exitCode);
}

/** @param {readonly PlaywrightSuite[]} suites @returns {PlaywrightSpec[]} */
function specsOf(suites) {
  return suites.flatMap(({ specs = [], suites: inner = [] }) => [...specs, ...specsOf(inner)]);
}
