import type { Component } from 'svelte';
import { Person } from '../../../protocol/contacts.ts';
import { Session } from '../../../protocol/accounts.ts';
import { extremesOf } from './extremes.ts';

export type Values = Readonly<Record<string, unknown>>;

export interface Drawing {
  readonly component: unknown;
  readonly props: Record<string, unknown>;
  /** What was drawn, for the report of a failure. */
  readonly values: string;
  /** Entries that must be replaced by the line that says so. */
  readonly fallbacks?: number;
  /** What comes in place of `props` then, and must be drawn in full. */
  readonly mended?: Record<string, unknown>;
  readonly toast?: string | null;
  /** It takes the whole window, whose width decides how it is laid out. */
  readonly whole?: boolean;
  /** The words on the button that is pressed before it is looked at. */
  readonly press?: string;
}

export const ID = '9f0d4d1c-4f0e-4b35-9a35-0b1de6a7a001';
export const nothing = () => undefined;
export const linkTo = () => '#';

/** A controller: what it is given, and else functions that do nothing. */
export function fake(data: Values): Values {
  return new Proxy(data, {
    get: (target, name) => (name in target ? target[String(name)] : () => Promise.resolve([])),
  });
}

export const objects = (schema: Parameters<typeof extremesOf>[0]) => extremesOf(schema) as readonly Values[];
const TRUST = ['signed', 'plain', 'doubtful', 'unverified'];
/** As a device knows them: the name of each is the former one of the next. */
export const people: readonly Values[] = objects(Person).map((person, i, all) => ({
  ...person,
  trust: TRUST[i % TRUST.length],
  formerName: all[i - 1]?.['displayName'] ?? null,
}));
export const NUMBERS = extremesOf(Session.shape.lastSeenAt);

const brief = (value: unknown) => (JSON.stringify(value) ?? '').slice(0, 160);

export function one(
  component: Component<never>,
  cases: readonly Values[],
  propsOf: (value: Values) => Values,
): Drawing[] {
  return cases.map((value) => ({ component, props: { ...propsOf(value) }, values: brief(value) }));
}
