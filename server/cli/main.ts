import { ConfigError } from '../config.ts';
import { UsageError, type Command } from './command.ts';
import { invite } from './invite.ts';
import { people, reinstate, remove, resetPassword, suspend } from './people.ts';
import { restored } from './restored.ts';

/** Every command by its name. */
const COMMANDS: Readonly<Record<string, Command>> = {
  invite,
  people,
  suspend,
  reinstate,
  remove,
  'reset-password': resetPassword,
  restored,
};

async function main([name, ...argv]: readonly string[]): Promise<void> {
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command) return command.run(argv, { env: process.env, say });
  const help = [
    'Commands:',
    ...Object.values(COMMANDS).map(({ usage, summary }) => `  ${usage}\n      ${summary}`),
  ].join('\n');
  if (name === undefined || name === 'help' || name === '--help') return say(help);
  throw new UsageError(`There is no command of this name.\n${help}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const expected = error instanceof UsageError || error instanceof ConfigError;
  process.stderr.write(
    `${expected ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = expected ? 2 : 1;
});
