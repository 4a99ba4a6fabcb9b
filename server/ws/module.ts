import type { RegisteredMethod } from './method.ts';

/** What a server module gives to the composition root. */
export interface ServerModule {
  readonly methods: readonly RegisteredMethod[];
  /** Called once at shutdown, before the store closes. */
  readonly close?: () => Promise<void>;
}
