import { expect, test } from 'vitest';
import * as wire from '../../../protocol/calls.ts';
import { CallId, IdempotencyId } from '../../../protocol/ids.ts';
import { HeadlessClient, until } from '../../testing/headless-client.ts';
import { ServerProcess } from '../../testing/server-process.ts';

/* A colleague who takes further people into a call that somebody else began. */
test(
  'a call rings under the name of who rings, also when its starter has long hung up',
  { timeout: 60_000 },
  async () => {
    const server = await ServerProcess.start({ TEAHOUSE_MEDIA_WORKERS: '1' });
    try {
      const ben = await HeadlessClient.join(server.origin, server.invitation, 'ben');
      const links = await ben.accounts.createInvitations({ count: 2, role: 'member', validHours: 1 });
      const [first, second] = links.map((link) => link.split('/').at(-1)!);
      const ada = await HeadlessClient.join(server.origin, first!, 'ada');
      const eve = await HeadlessClient.join(server.origin, second!, 'eve');
      const callId = CallId.parse(crypto.randomUUID());
      const key = () => ({ callId, idempotencyId: IdempotencyId.parse(crypto.randomUUID()) });
      const { routerRtpCapabilities: rtpCapabilities } = await ben.connection.request(wire.capabilities, {});
      await ben.connection.request(wire.start, { ...key(), media: 'voice', invite: [eve.userId] });
      await ben.connection.request(wire.join, { ...key(), rtpCapabilities });
      await eve.connection.request(wire.join, { ...key(), rtpCapabilities });

      await eve.connection.request(wire.invite, { ...key(), users: [ada.userId] });
      await until(() => ada.calls.incoming !== null, 'Ada is rung');
      expect(ada.calls.incoming?.from.userId).toBe(eve.userId);
      await ada.calls.decline();
      await ben.connection.request(wire.leave, { callId });

      await eve.connection.request(wire.invite, { ...key(), users: [ada.userId] });
      await until(() => ada.calls.incoming !== null, 'Ada is rung again');
      expect(ada.calls.incoming?.from.userId).toBe(eve.userId);
      expect(ada.calls.incoming?.others).toEqual([]);
      const entries = await ada.chat.recentCalls(5);
      expect(entries.filter(({ conversation }) => conversation === ben.userId)).toEqual([]);
      for (const client of [ada, eve, ben]) client.close();
    } finally {
      await server.dispose();
    }
  },
);
