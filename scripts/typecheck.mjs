import process from 'node:process';
import { typecheck } from './lib/typecheck.mjs';

process.exitCode = await typecheck();
