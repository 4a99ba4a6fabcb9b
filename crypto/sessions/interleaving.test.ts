import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { WrappedKey } from '../../protocol/chat.ts';
import { fromBase64, toBase64, utf8 } from '../bytes.ts';
import { codeOf, connect, makeParty, receive, send } from '../testing/party.ts';
import type { Party } from '../testing/party.ts';
import { decryptFrom } from './decrypt.ts';
import { encryptFor } from './encrypt.ts';
import { MAX_RECEIVER_CHAINS } from './session-state.ts';
import { parsePrekeyMessage, parseRatchetMessage } from './wire-message.ts';

type Step =
  | { readonly do: 'send' | 'crash' | 'connect'; readonly from: 0 | 1 }
  | { readonly do: 'deliver' | 'drop' | 'repeat' | 'corrupt'; readonly from: 0 | 1; readonly pick: number };

const side = fc.constantFrom<0 | 1>(0, 1);
const pick = fc.nat(1000);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('send' as const), from: side }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('deliver' as const), from: side, pick }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('drop' as const, 'repeat' as const, 'corrupt' as const),
      from: side,
      pick,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('crash' as const, 'connect' as const), from: side }) },
);

interface Wire {
  readonly text: string;
  readonly wrapped: WrappedKey;
}

/** Two devices, a wire for each direction, and everything that was accepted. */
class World {
  readonly parties: [Party, Party];
  readonly wires: [Wire[], Wire[]] = [[], []];
  readonly delivered: [Wire[], Wire[]] = [[], []];
  /** The ratchet keys accepted in each direction, oldest first. */
  readonly #chains: [string[], string[]] = [[], []];
  #sent = 0;
  #nextPrekey = 0;

  constructor(parties: [Party, Party]) {
    this.parties = parties;
  }

  async run(step: Step): Promise<void> {
    const [from, to] = step.from === 0 ? this.parties : [this.parties[1], this.parties[0]];
    const [wire, delivered] = [this.wires[step.from], this.delivered[step.from]];
    if (step.do === 'connect') await connect(from, to, this.#nextPrekey++);
    else if (step.do === 'crash') await this.#crash(from, to, wire);
    else if (step.do === 'send') await this.#send(from, to, wire);
    else if ('pick' in step && step.do === 'repeat') await this.#repeat(from, to, delivered, step.pick);
    else if ('pick' in step && wire.length > 0) await this.#handle(step, from, to);
  }

  async deliverAll(): Promise<void> {
    for (const from of [0, 1] as const) {
      while (this.wires[from].length > 0) await this.run({ do: 'deliver', from, pick: 0 });
    }
  }

  async #send(from: Party, to: Party, wire: Wire[]): Promise<void> {
    const text = `message ${this.#sent++}`;
    if (from.store.sessions.size === 0) await connect(from, to, this.#nextPrekey++);
    wire.push({ text, wrapped: await send(from, to, text) });
  }

  /** Both ends work and end before they commit: what they made is lost with them. */
  async #crash(from: Party, to: Party, wire: Wire[]): Promise<void> {
    if (from.store.sessions.size > 0) await encryptFor(from.store, to.address, utf8('lost'));
    const next = wire[0];
    if (next !== undefined) await codeOf(decryptFrom(to.store, from.address, next.wrapped, from.identityKey));
  }

  async #repeat(from: Party, to: Party, delivered: Wire[], pick: number): Promise<void> {
    if (delivered.length === 0) return;
    const code = await codeOf(receive(to, from, delivered[pick % delivered.length]!.wrapped));
    // A repeat whose chain is no longer kept cannot be told from a forgery.
    expect(['replayed', 'tampered', 'prekey_missing']).toContain(code);
  }

  async #handle(step: Step & { readonly pick: number }, from: Party, to: Party): Promise<void> {
    const wire = this.wires[step.from];
    const index = step.pick % wire.length;
    const { text, wrapped } = wire[index]!;
    if (step.do === 'corrupt') {
      const body = fromBase64(wrapped.body);
      body[step.pick % body.byteLength]! ^= 1 << (step.pick % 8);
      const code = await codeOf(receive(to, from, { ...wrapped, body: toBase64(body) }));
      expect(code).not.toBe('accepted');
      expect(code).toBeTypeOf('string');
      return;
    }
    wire.splice(index, 1);
    if (step.do === 'drop') return;
    const chains = this.#chains[step.from];
    const chain = ratchetKeyOf(wrapped);
    const newer = chains.includes(chain) ? chains.length - 1 - chains.indexOf(chain) : 0;
    if (newer >= MAX_RECEIVER_CHAINS) {
      expect(['accepted', 'tampered']).toContain(await codeOf(receive(to, from, wrapped)));
      return;
    }
    expect(await receive(to, from, wrapped)).toBe(text);
    if (!chains.includes(chain)) chains.push(chain);
    this.delivered[step.from].push({ text, wrapped });
  }
}

function ratchetKeyOf({ type, body }: WrappedKey): string {
  const bytes = fromBase64(body);
  const { ephemeralKey } = type === 'prekey' ? parsePrekeyMessage(bytes).message : parseRatchetMessage(bytes);
  return toBase64(ephemeralKey);
}

it('accepts every message exactly once, whatever the network does with them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const world = new World([await makeParty(), await makeParty()]);
      for (const one of steps) await world.run(one);
      await world.deliverAll();
      for (const from of [0, 1] as const) {
        const texts = world.delivered[from].map(({ text }) => text);
        expect(new Set(texts).size).toBe(texts.length);
        await world.run({ do: 'send', from });
        await world.deliverAll();
      }
    }),
    { numRuns: 40 },
  );
}, 120_000);
