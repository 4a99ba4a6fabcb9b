import { beforeEach, expect, test } from 'vitest';
import * as chatWire from '../../../protocol/chat.ts';
import type { Envelope } from '../../../protocol/chat.ts';
import * as devicesWire from '../../../protocol/devices.ts';
import { MessageId } from '../../../protocol/ids.ts';
import type { Method, ParamsOf } from '../../../protocol/method.ts';
import { LIMITS } from '../../crypto/limits.ts';
import { Relay } from '../../crypto/testing/relay.ts';
import { TestClient } from '../../crypto/testing/test-client.ts';
import type { Standing } from '../../crypto/vault.ts';
import type { Connection } from '../../net/connection.ts';
import { HandOverInbox } from './hand-over.ts';

let relay: Relay;
let ada: TestClient;
let ben: TestClient;

beforeEach(async () => {
  relay = new Relay();
  ada = await TestClient.signUp(relay, 'ada');
  ben = await TestClient.signUp(relay, 'ben');
  await ada.write(ben, 'hello');
});

/** The requests of the new device, answered from the relay as the server answers them. */
class Line {
  pages = 0;
  /** Runs after the server has made up its mind about a page, before that arrives. */
  whilePageIsUnderWay: () => Promise<void> = () => Promise.resolve();
  readonly #client: TestClient;
  readonly inbox: HandOverInbox;

  constructor(client: TestClient) {
    this.#client = client;
    const request = async (method: Method, params: unknown): Promise<unknown> => {
      const answer = this.#answer(method, params);
      if (method.name === chatWire.pending.name) await this.whilePageIsUnderWay();
      return answer;
    };
    this.inbox = new HandOverInbox({ request } as unknown as Connection, client.vault);
  }

  #answer(method: Method, params: unknown): unknown {
    const queue = relay.queue(this.#client.address);
    if (method.name === chatWire.pending.name) {
      this.pages += 1;
      const { after, limit } = params as ParamsOf<typeof chatWire.pending>;
      const waiting = queue.filter(({ queueId }) => queueId > after);
      return { envelopes: waiting.slice(0, limit), more: waiting.length > limit };
    }
    if (method.name === chatWire.acknowledge.name) {
      const { queueIds } = params as ParamsOf<typeof chatWire.acknowledge>;
      queue.splice(0, queue.length, ...queue.filter(({ queueId }) => !queueIds.includes(queueId)));
      return {};
    }
    if (method.name === devicesWire.lists.name) {
      const { users } = params as ParamsOf<typeof devicesWire.lists>;
      return { lists: users.flatMap((userId) => relay.lists.get(userId) ?? []) };
    }
    throw new Error(`nothing answers ${method.name}`);
  }
}

/** So many copies of an envelope, before it in the queue, that nobody can read. */
function garbageBefore(genuine: Envelope, count: number): Envelope[] {
  return Array.from({ length: count }, (_, i) => ({
    ...genuine,
    queueId: i + 1,
    messageId: MessageId.parse(crypto.randomUUID()),
    payload: genuine.payload.slice(0, -8).padEnd(genuine.payload.length, 'A'),
  }));
}

/** A device that is on the list, with its hand-over behind so many unreadable envelopes of an own device. */
async function linkedBehind(garbage: number): Promise<TestClient> {
  const client = await TestClient.approved(ada);
  await ada.flush();
  const queue = relay.queue(client.address);
  const handOver = queue.map((envelope, i) => ({ ...envelope, queueId: garbage + 1 + i }));
  queue.splice(0, queue.length, ...garbageBefore(handOver[0]!, garbage), ...handOver);
  return client;
}

test.each([
  ['one turn of the vault', LIMITS.refusalsInATurn.value],
  ['several turns of it', LIMITS.refusalsInATurn.value * 4 + 1],
  ['several pages of the queue', 230],
])('a hand-over behind as many unreadable envelopes as end %s is found', async (_, garbage) => {
  const client = await linkedBehind(garbage);
  const line = new Line(client);
  expect(await line.inbox.receive(ada.userId)).toMatchObject({ kind: 'ready' });
  expect(relay.queue(client.address)).toEqual([]);
  await client.write(ben, 'from the second');
  await ben.fetch();
  expect(await ben.texts(ada)).toEqual(['hello', 'from the second']);
});

test('what others sent stays in the queue, before the hand-over and behind it', async () => {
  const client = await TestClient.approved(ada);
  for (let i = 0; i < 120; i += 1) await ben.enqueue(ada, `early ${i}`);
  await ben.flush();
  await ada.flush();
  const line = new Line(client);
  expect(await line.inbox.receive(ada.userId)).toMatchObject({ kind: 'ready' });
  expect(line.pages).toBe(2);
  expect(relay.queue(client.address)).toHaveLength(120);
  await client.fetch();
  expect(await client.texts(ben)).toHaveLength(120);
});

test('one that comes while the queue is being read is found in the same run', async () => {
  const client = await TestClient.approved(ada);
  const line = new Line(client);
  let second: Promise<Standing | null> | undefined;
  line.whilePageIsUnderWay = async () => {
    await ada.flush();
    second ??= line.inbox.receive(ada.userId);
  };
  expect(await line.inbox.receive(ada.userId)).toMatchObject({ kind: 'ready' });
  expect(await second).toBeNull();
});
