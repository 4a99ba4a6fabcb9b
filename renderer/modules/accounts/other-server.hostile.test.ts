import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { HeadlessClient, PASSWORD, until } from '../../testing/headless-client.ts';
import { ServerProcess } from '../../testing/server-process.ts';

let server: ServerProcess;
/** A server that notes every frame and answers none. */
let recorder: WebSocketServer;
let evil: string;
const frames: string[] = [];

beforeAll(async () => {
  server = await ServerProcess.start();
  recorder = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  recorder.on('connection', (socket) => socket.on('message', (data) => void frames.push(String(data as Buffer))));
  await once(recorder, 'listening');
  evil = `http://127.0.0.1:${(recorder.address() as AddressInfo).port}`;
});
afterAll(async () => {
  for (const socket of recorder.clients) socket.terminate();
  recorder.close();
  await server.dispose();
});

test('a client that is led to another server says hello there as a stranger', async () => {
  const ada = await HeadlessClient.join(server.origin, server.invitation, 'ada');
  const { userId } = ada;
  const led = await ada.reopen(evil);
  await until(() => frames.length > 0, 'it says hello');
  expect(led.accounts.stage.kind).toBe('welcome');
  const hello = JSON.parse(frames[0] ?? '') as { method: string; params: Record<string, unknown> };
  expect(hello.method).toBe('hello');
  expect(hello.params).not.toHaveProperty('session');
  expect(frames.join(), 'nothing of the account').not.toContain(userId);
  led.close();

  const back = await led.reopen(server.origin);
  await back.online();
  expect(back.userId).toBe(userId);
  await back.accounts.signOut();
  await back.accounts.signIn({ username: 'ada', password: PASSWORD });
  expect(back.accounts.stage.kind, 'its keys are the ones of before').toBe('ready');
  back.close();
});
