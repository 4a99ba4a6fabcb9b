import { holdYoungGeneration } from './young-generation.ts';

// What is imported here is read and compiled before the first line runs, so everything else comes after it.
const letGrow = holdYoungGeneration();
const { run } = await import('./run.ts');
await run(process.argv.slice(2), process.env);
letGrow();
