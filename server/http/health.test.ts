import { setTimeout as delay } from 'node:timers/promises';
import { fastify } from 'fastify';
import { expect, it } from 'vitest';
import { healthRoutes } from './health.ts';

/** A database that takes its time. */
function slowServer(ms: number) {
  const app = fastify();
  let questions = 0;
  let works = true;
  const store = async () => {
    questions += 1;
    await delay(ms);
    return works;
  };
  healthRoutes(app, { store }, () => []);
  return {
    ask: async () => (await app.inject('/readyz')).statusCode,
    fail: () => (works = false),
    questions: () => questions,
  };
}

it('asks the database once for however many ask at the same time, however long it takes', async () => {
  const { ask, questions } = slowServer(700);
  const early = Array.from({ length: 1000 }, ask);
  await delay(400);
  const late = Array.from({ length: 1000 }, ask);
  expect(new Set(await Promise.all([...early, ...late]))).toEqual(new Set([200]));
  expect(questions()).toBe(1);
});

it('does not keep an answer', async () => {
  const { ask, fail, questions } = slowServer(0);
  expect(await ask()).toBe(200);
  fail();
  await expect.poll(ask).toBe(503);
  expect(questions()).toBe(2);
});
