import { expect, test } from 'vitest';
import { ProtocolError } from '../../../protocol/errors.ts';
import { FakeEngine } from '../../media/testing/fake-engine.ts';
import { OfflineError } from '../../net/connection.ts';
import { CurrentCall } from './current-call.svelte.ts';
import { ADA, BEN, CALL, DEVICE } from './testing/calls.ts';

/*
 * A server sends the closing frame of its WebSocket and leaves TCP open: for seconds every request fails at once, and no
 * event says that the line is gone. Trying again at once would keep the page from ever hearing of it.
 */
test('a call that comes back over a socket which is closing leaves the page its turns', async () => {
  const engine = new FakeEngine();
  await engine.load();
  let joins = 0;
  const request = async () => {
    joins += 1;
    if (joins === 1) throw new ProtocolError('unavailable', 'no media worker');
    if (joins > 10_000) return new Promise(() => undefined);
    throw new OfflineError('calls.join needs a connection');
  };
  const call = new CurrentCall({
    callId: CALL,
    media: 'voice',
    peer: BEN,
    outgoing: false,
    self: { userId: ADA, deviceId: DEVICE },
    connection: { state: { kind: 'online' }, request } as never,
    engine,
    local: { onChange: () => undefined } as never,
    onCall: () => undefined,
    onOver: () => undefined,
  });
  await call.enter();
  // Turns of microtasks alone: no timer and no event of a socket comes between them.
  for (let i = 0; i < 100_000; i += 1) await Promise.resolve();
  expect(joins).toBeLessThan(100);
  call.close();
});
