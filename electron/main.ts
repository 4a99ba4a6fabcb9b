import * as electron from 'electron';
import { join } from 'node:path';
import { launchApp } from './launch.ts';

// Built into out/main/main.js.
launchApp({ electron, process, out: join(import.meta.dirname, '..') });
