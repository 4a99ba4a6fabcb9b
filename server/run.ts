import { ALREADY_RUNS_EXIT_CODE, AlreadyRunningError } from './claim-folder.ts';
import { readConfig, type Config } from './config.ts';
import { startServer, type RunningServer } from './context.ts';
import { explainFailure } from './explain-failure.ts';
import { endOnFault } from './last-resort.ts';
import { createLog, type Log } from './log.ts';

/** Undefined as long as it was not read. */
let config: Config | undefined;

/** Starts a server, says where it is, and ends it when asked to. A server that does not start ends the process. */
export async function run(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  try {
    await start(argv, env);
  } catch (error) {
    process.stderr.write(`${explainFailure(error, config)}\n`);
    process.exit(error instanceof AlreadyRunningError ? ALREADY_RUNS_EXIT_CODE : 1);
  }
}

async function start(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  config = readConfig(argv, env);
  const log = createLog(config.logLevel);
  const server = await startUnlessAsked(config, log);
  endOnFault(log, () => server.close());
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

/** Starts the server. Where a signal comes before it serves, that ends the process in order. */
async function startUnlessAsked(settings: Config, log: Log): Promise<RunningServer> {
  const asked = new AbortController();
  const ask = () => {
    if (asked.signal.aborted) process.exit(130);
    asked.abort();
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, ask);
  const waiting = { signal: asked.signal, say: (sentence: string) => void process.stderr.write(`${sentence}\n`) };
  let server: RunningServer | undefined;
  try {
    server = await startServer(settings, { log }, waiting);
  } catch (error) {
    if (!asked.signal.aborted) throw error;
  }
  for (const signal of signals) process.off(signal, ask);
  if (server && !asked.signal.aborted) return server;
  await server?.close();
  return process.exit(0);
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
