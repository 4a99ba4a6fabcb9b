import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { createLog } from '../log.ts';
import { LIMITS } from './limits.ts';
import { TcpGuard } from './tcp-guard.ts';

const PER_ADDRESS = LIMITS.plainSocketsPerAddress.value;

/** A server to which connections come from any address. */
function guarded(proxies: readonly string[] = []) {
  const server = new EventEmitter();
  const guard = new TcpGuard({ log: createLog('silent'), isProxy: (address) => proxies.includes(address) });
  guard.watch(server as Server);
  const arrive = (remoteAddress: string) => {
    const socket = Object.assign(new Duplex({ read() {}, write: (_, __, done) => done() }), { remoteAddress });
    server.emit('connection', socket);
    return socket;
  };
  return { guard, arrive };
}

it('counts a network of IPv6 addresses as one', () => {
  const { guard, arrive } = guarded();
  for (let i = 0; i < PER_ADDRESS + 100; i++) arrive(`2001:db8:1:2::${i.toString(16)}`);
  expect(guard.size).toBe(PER_ADDRESS);
});

it('counts an IPv4 address as one however it is written, and others for themselves', () => {
  const { guard, arrive } = guarded();
  for (let i = 0; i < PER_ADDRESS + 100; i++) arrive(i % 2 ? '203.0.113.1' : '::ffff:203.0.113.1');
  expect(guard.size).toBe(PER_ADDRESS);
  arrive('::ffff:203.0.113.2');
  expect(guard.size).toBe(PER_ADDRESS + 1);
});

it('holds a proxy to no machine’s limit', () => {
  const { guard, arrive } = guarded(['10.0.0.1']);
  for (let i = 0; i < PER_ADDRESS + 100; i++) arrive('10.0.0.1');
  expect(guard.size).toBe(PER_ADDRESS + 100);
});

it('closes the oldest of the address that has most where there are too many', () => {
  const { guard, arrive } = guarded();
  const honest = arrive('198.51.100.1');
  for (let i = 0; i < LIMITS.plainSockets.value * 2; i++) arrive(`203.0.113.${i % 8}`);
  expect(guard.size).toBe(LIMITS.plainSockets.value);
  expect(honest.destroyed).toBe(false);
});
