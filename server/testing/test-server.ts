import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../config.ts';
import { startServer, type Overrides, type RunningServer } from '../context.ts';
import { createLog } from '../log.ts';
import { createInvitations } from '../modules/accounts/index.ts';
import type { Role } from '../../protocol/accounts.ts';
import { Person } from './person.ts';
import { SocketClient } from './socket-client.ts';

export interface TestServer extends RunningServer {
  readonly dataDir: string;
  invitation(role?: Role): Promise<string>;
  /** A connection that said hello. */
  connect(session?: string): Promise<SocketClient>;
  /** A new account, connected as its first device. */
  join(person?: Person, role?: Role): Promise<Member>;
  /** Ends the server and removes its data. */
  dispose(): Promise<void>;
}

export interface Member {
  readonly person: Person;
  readonly client: SocketClient;
  readonly session: string;
}

/** A real server with a real store, in this process, on a free port. Calls are off unless the environment says otherwise. */
export async function startTestServer(
  overrides: Overrides = {},
  environment: Record<string, string> = {},
): Promise<TestServer> {
  const dataDir = environment.TEAHOUSE_DATA ?? (await mkdtemp(join(tmpdir(), 'teahouse-')));
  const config = readConfig([], {
    TEAHOUSE_PORT: '0',
    TEAHOUSE_MEDIA_WORKERS: '0',
    ...environment,
    TEAHOUSE_DATA: dataDir,
  });
  const server = await startServer(config, { log: createLog('silent'), rateLimitFactor: 1000, ...overrides });
  return { ...server, dataDir, ...helpers(server, overrides.now ?? Date.now), dispose: () => dispose(server, dataDir) };
}

function helpers(server: RunningServer, now: () => number) {
  const base = `http://127.0.0.1:${server.port}`;
  const invitation = async (role: Role = 'member') => {
    const wanted = { count: 1, role, validHours: 1, createdBy: null, requestId: null, now: now() };
    const [token = ''] = (await createInvitations(server.store.db, wanted)).invitations;
    return token;
  };
  const connect = async (session?: string) => {
    const client = await SocketClient.connect(base);
    await client.hello(session === undefined ? {} : { session: session as never });
    return client;
  };
  const joinAs = async (person = new Person(), role: Role = 'member'): Promise<Member> => {
    const visitor = await connect();
    const { session } = await person.signUp(visitor, await invitation(role));
    await visitor.close();
    return { person, client: await connect(session), session };
  };
  return { invitation, connect, join: joinAs };
}

async function dispose(server: RunningServer, dataDir: string): Promise<void> {
  await server.close();
  await rm(dataDir, { recursive: true, force: true });
}
