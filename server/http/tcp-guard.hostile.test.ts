import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { createLog } from '../log.ts';
import { LIMITS } from './limits.ts';
import { TcpGuard } from './tcp-guard.ts';

const PER_ADDRESS = LIMITS.plainSocketsPerAddress.value;

/** A server to which connections come from any address. */
function guarded(proxies: readonly string[] = [], log = createLog('silent')) {
  const server = new EventEmitter();
  const guard = new TcpGuard({ log, isProxy: (address) => proxies.includes(address) });
  guard.watch(server as Server);
  const arrive = (remoteAddress: string) => {
    const socket = Object.assign(new Duplex({ read() {}, write: (_, __, done) => done() }), { remoteAddress });
    server.emit('connection', socket);
    return socket;
  };
  return { guard, arrive, server };
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

it('closes whoever was quiet longest, and not who asked for something just now', () => {
  const { server, arrive } = guarded();
  const [first, second] = [arrive('203.0.113.1'), arrive('203.0.113.1')];
  for (let i = 2; i < PER_ADDRESS; i++) arrive('203.0.113.1');
  server.emit('request', { socket: first });
  arrive('203.0.113.1');
  expect([first.destroyed, second.destroyed]).toEqual([false, true]);
});

it('hears errors of the port, so that they end nothing, and logs one of many', () => {
  const lines: string[] = [];
  const { server } = guarded([], createLog('error', { write: (line) => void lines.push(line) }));
  // An error before it listens is for whoever asked it to.
  expect(() => server.emit('error', new Error('listen EADDRINUSE'))).toThrow('EADDRINUSE');
  server.emit('listening');
  for (let i = 0; i < 500; i++) server.emit('error', new Error('accept EMFILE'));
  expect(lines).toHaveLength(1);
});
