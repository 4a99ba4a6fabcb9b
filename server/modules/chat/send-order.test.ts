import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pending, send } from '../../../protocol/chat.ts';
import { publishPrekeys } from '../../../protocol/devices.ts';
import type { DeviceId, IdempotencyId, MessageId } from '../../../protocol/ids.ts';
import { onEachDatabase } from '../../testing/databases.ts';
import { refusal } from '../../testing/expect-code.ts';
import { newId, sendTo } from '../../testing/person.ts';
import type { Person } from '../../testing/person.ts';
import type { SocketClient } from '../../testing/socket-client.ts';
import { startTestServer, type TestServer } from '../../testing/test-server.ts';

onEachDatabase((newDatabase) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startTestServer({}, await newDatabase());
  });
  afterAll(() => server.dispose());

  const follow = (client: SocketClient, to: Person, id: IdempotencyId, after: IdempotencyId, stale = false) => {
    const recipient = to.recipient();
    const keys = stale ? recipient.keys.map((key) => ({ ...key, deviceId: 77 as DeviceId })) : recipient.keys;
    return client.request(send, {
      idempotencyId: id,
      payload: randomBytes(40).toString('base64'),
      recipients: [{ ...recipient, keys }],
      after: after as string as MessageId,
    });
  };
  const received = async (client: SocketClient) =>
    (await client.request(pending, { after: 0, limit: 100 })).envelopes.map(({ messageId }) => messageId as string);

  it('accepts a whole chain that is under way at once, in its order', async () => {
    const [ada, bob] = [await server.join(), await server.join()];
    const ids = Array.from({ length: 60 }, newId);
    await Promise.all(
      ids.map((id, i) =>
        i === 0 ? sendTo(ada.client, bob.person, id) : follow(ada.client, bob.person, id, ids[i - 1]!),
      ),
    );
    expect(await received(bob.client)).toEqual(ids);
  });

  it('refuses everything that follows a refused one, and takes it once that one is accepted', async () => {
    const [ada, bob] = [await server.join(), await server.join()];
    const ids = Array.from({ length: 6 }, newId);
    const all = (stale: number) =>
      Promise.allSettled(
        ids.map((id, i) =>
          i === 0 ? sendTo(ada.client, bob.person, id) : follow(ada.client, bob.person, id, ids[i - 1]!, i === stale),
        ),
      );
    const codes = (await all(3)).map((one) =>
      one.status === 'fulfilled' ? 'ok' : (one.reason as { code: string }).code,
    );
    expect(codes).toEqual(['ok', 'ok', 'ok', 'devices_stale', 'send_out_of_order', 'send_out_of_order']);
    expect(await received(bob.client)).toEqual(ids.slice(0, 3));
    expect((await all(-1)).every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(await received(bob.client)).toEqual(ids);
  });

  it('holds the order over batches, and knows only messages of the same device', async () => {
    const [ada, eve, bob] = [await server.join(), await server.join(), await server.join()];
    const [first, second, third] = [newId(), newId(), newId()];
    await refusal('send_out_of_order', follow(ada.client, bob.person, second, first));
    await sendTo(eve.client, bob.person, first);
    await refusal('send_out_of_order', follow(ada.client, bob.person, second, first));
    await sendTo(ada.client, bob.person, first);
    await follow(ada.client, bob.person, second, first);
    expect(await received(bob.client)).toEqual([first, first, second]);
    const prekeys = newId();
    await ada.client.request(publishPrekeys, { prekeys: [], idempotencyId: prekeys });
    await refusal('send_out_of_order', follow(ada.client, bob.person, third, prekeys));
  });
});
