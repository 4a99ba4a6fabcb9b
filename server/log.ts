import { pino, type DestinationStream, type Logger } from 'pino';

export type Log = Logger;

/**
 * Names under which secrets and content travel. No call logs them; this is the net below, for an object that is
 * logged whole by mistake. pino's wildcards reach one level, so each name is listed for three depths.
 */
const SECRET_NAMES = [
  'password',
  'passwordHash',
  'session',
  'token',
  'invitation',
  'invitations',
  'authorization',
  'cookie',
  'challenge',
  'proof',
  'params',
  'result',
  'payload',
  'body',
  'keys',
  'envelope',
  'displayName',
  'username',
  'databaseUrl',
  'metricsToken',
];

/** Structured lines of JSON: ids and codes, never content, names, addresses of people, keys or tokens. */
export function createLog(level: string, destination?: DestinationStream): Log {
  const paths = SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths, censor: '[redacted]' },
    serializers: { err: describeError, error: describeError },
  };
  // Standard error: standard output is for what people read.
  return pino(options, destination ?? pino.destination({ fd: 2, sync: false }));
}

/**
 * What a log may say of an error: its kind, code and where it arose. The message is left out unless the error is one of
 * Node's own, since a database driver or a parser may quote what it was given.
 */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    stack: error.stack
      ?.split('\n')
      .filter((line) => /^\s+at /.test(line))
      .slice(0, 12)
      .map((line) => line.trim()),
    ...(error.cause instanceof Error ? { cause: describeError(error.cause) } : {}),
  };
}
