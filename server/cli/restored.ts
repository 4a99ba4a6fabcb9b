import { parseArgs } from 'node:util';
import { noteAct } from '../modules/accounts/index.ts';
import { dropPrekeys } from '../modules/devices/index.ts';
import { UsageError, type Command } from './command.ts';
import { withStore } from './data-folder.ts';

/** Lets go of what an older copy of the data must not give out again. */
export const restored: Command = {
  summary:
    'after a backup was put back, before the server starts: drop the one-time keys, some of which were used since',
  usage: 'restored [--data DIR]',
  async run(argv, { env, say }) {
    await withStore(readData(argv), env, async (store) => {
      const dropped = await store.transaction(async (trx) => {
        await noteAct(trx, { action: 'restored', at: Date.now() });
        return dropPrekeys(trx);
      });
      say(`${dropped} one-time keys are dropped. Devices make new ones when they connect.`);
    });
  },
};

function readData(argv: readonly string[]): string | undefined {
  try {
    return parseArgs({ args: [...argv], options: { data: { type: 'string' } } }).values.data;
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('.')[0]}. Usage: ${restored.usage}`);
  }
}
