import { ConfigError, readConfig } from './config.ts';
import { MediaError, startServer, type RunningServer } from './context.ts';

/** The process of a server: starts it, says where it is, and ends it when asked to. */
async function main(): Promise<void> {
  const config = readConfig(process.argv.slice(2), process.env);
  const server = await startServer(config);
  say(`Teahouse is at ${server.origin}`);
  if (server.invitationLink) {
    say('');
    say('Nobody has an account yet. Open this link to make yours, the first administrator’s:');
    say(`  ${server.invitationLink}`);
    say('');
  }
  if (['127.0.0.1', '::1', 'localhost'].includes(config.host)) {
    say('It answers this machine only. For others: --host 0.0.0.0 and --origin https://… behind a proxy with a');
    say('certificate, since browsers give camera and microphone to https pages and to localhost alone.');
  }
  say('Ctrl-C ends it.');
  endOnSignal(server);
}

/** The first signal ends it in order; the second at once. */
function endOnSignal(server: RunningServer): void {
  let ending = false;
  const end = () => {
    if (ending) process.exit(130);
    ending = true;
    say('Ending. Once more to end at once.');
    void server.close().then(() => process.exit(0));
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
});

function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof MediaError) {
    const cause = error.cause instanceof Error ? ` ${error.cause.message}` : '';
    return `${error.message}${cause}\nChoose another --media-port if it is taken, run "npm run setup" if the worker is missing, or set\nTEAHOUSE_MEDIA_WORKERS=0 to run without calls.`;
  }
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return 'The port is taken. Stop what uses it, or choose another with --port.';
  if (code === 'EACCES') return `Not allowed: ${message}. Choose another --port or --data, or another user.`;
  return error instanceof Error ? (error.stack ?? message) : String(error);
}
