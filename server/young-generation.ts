import { setFlagsFromString } from 'node:v8';

/** V8's own value. */
const GROWTH_FACTOR = 2;

/**
 * Keeps the space for new objects near its first size while the server starts, and returns what lets it grow again. Reading
 * and compiling the modules leaves enough behind to make it grow to its greatest size, twice 16 MB, and an idle process
 * gives none of that back. Under load it grows as it would have. V8 reads the factor at every collection of new objects
 * (`--semi-space-growth-factor`).
 */
export function holdYoungGeneration(): () => void {
  setFlagsFromString('--semi-space-growth-factor=1');
  return () => setFlagsFromString(`--semi-space-growth-factor=${GROWTH_FACTOR}`);
}
