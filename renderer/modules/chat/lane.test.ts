import { expect, test } from 'vitest';
import { send } from '../../../protocol/chat.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { Outbox } from './outbox.ts';

const tick = () => new Promise<void>((done) => setTimeout(done, 1));
const NONE = { messages: [], removed: [], conversations: [] };
const item = (id: string) => ({ messageId: id, params: { idempotencyId: id, payload: '', recipients: [] } });

test('a message is not sent on its own after the one before it was refused while it was being sealed', async () => {
  const sent: { readonly id: string; readonly after: string | null }[] = [];
  let refuse: (error: Error) => void = () => undefined;
  let sealed: () => void = () => undefined;
  const sealing = new Promise<void>((done) => (sealed = done));
  let seals = 0;
  const request = async (method: { name: string }, params: { idempotencyId: string; after?: string }) => {
    if (method.name !== send.name) return {};
    sent.push({ id: params.idempotencyId, after: params.after ?? null });
    if (sent.length === 1) return new Promise((_, no) => (refuse = no));
    return { position: sent.length };
  };
  const vault = {
    sealWaiting: async () => {
      seals += 1;
      if (seals > 1) return { sealed: [], next: null, more: false };
      await sealing;
      const next = { kind: 'need-lists', users: ['somebody'], messageId: 'third' };
      return { sealed: [item('second')], next, more: true };
    },
    sent: async () => NONE,
    sendFailed: async () => NONE,
    ownDevices: async () => ({ devices: [], removed: [], canSign: true, unpublished: false }),
    outbox: async () => [],
  };
  const outbox = new Outbox({
    connection: { state: { kind: 'online' }, welcome: { protocol: 2 }, request } as never,
    vault: vault as never,
    lists: { fetch: async () => undefined } as never,
    apply: () => undefined,
    report: (error) => expect.unreachable(String(error)),
    pause: tick,
  });
  outbox.wake('somebody' as never, item('first') as never);
  await tick();
  outbox.wake('somebody' as never);
  await tick();
  refuse(new ProtocolError('devices_stale', 'x', { missing: [], gone: [] }));
  await tick();
  sealed();
  for (let i = 0; i < 5; i += 1) await tick();
  expect(sent.filter(({ id, after }) => id === 'second' && after === null)).toEqual([]);
});
