import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { query } from '../protocol/method.ts';
import type * as contacts from './modules/contacts/index.ts';
import { startTestServer } from './testing/test-server.ts';
import type { RegisteredMethod } from './ws/method.ts';

/* What is put together is what the contract says, or no test of all methods attacks it. */

let change: (methods: readonly RegisteredMethod[]) => readonly RegisteredMethod[] = (methods) => methods;

vi.mock('./modules/contacts/index.ts', async (original) => {
  const real = await original<typeof contacts>();
  const contactsModule: typeof real.contactsModule = (deps) => {
    const module = real.contactsModule(deps);
    return { ...module, methods: change(module.methods) };
  };
  return { ...real, contactsModule };
});

it('a server that lacks a method of the contract, or has another besides, does not start', async () => {
  change = ([, ...rest]) => rest;
  await expect(startTestServer()).rejects.toThrow(
    /methods are registered or in the contract, but not both: contacts\./,
  );
  change = ([first, ...rest]) => {
    if (!first) throw new Error('the module has no methods');
    return [first, ...rest, { ...first, method: query('contacts.hidden', {}, z.object({})) }];
  };
  await expect(startTestServer()).rejects.toThrow(/not both: contacts\.hidden/);
  change = (methods) => methods;
  const server = await startTestServer();
  await server.dispose();
});
