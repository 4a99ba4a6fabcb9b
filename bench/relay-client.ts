import { randomBytes } from 'node:crypto';
import { acknowledge, delivered, send } from '../protocol/chat.ts';
import { uuidV7 } from '../protocol/uuid.ts';
import { Person } from '../server/testing/person.ts';
import { SocketClient } from '../server/testing/socket-client.ts';

export const chatSendName = send.name;

/** Envelopes are acknowledged together, this often. Milliseconds. */
const ACKNOWLEDGE_EVERY_MS = 20;

/**
 * One device of the relay bench. It writes and reads frames as text without parsing them whole: the bench measures the
 * server, and a slow client on the other core would be what it shows.
 */
export class RelayClient {
  readonly #client: SocketClient;
  readonly #person: Person;
  readonly #payload: string;
  #recipients = '';
  readonly #sentAt = new Map<string, number>();
  #to: RelayClient | null = null;
  #lastId = 1_000_000;
  #toAcknowledge: string[] = [];
  #acknowledging = false;
  sent = 0;
  answered = 0;
  delivered = 0;
  delays: number[] = [];
  onAnswer: (() => void) | null = null;

  private constructor(client: SocketClient, person: Person, payloadBytes: number) {
    this.#client = client;
    this.#person = person;
    this.#payload = randomBytes(payloadBytes).toString('base64');
    client.socket.removeAllListeners('message');
    client.socket.on('message', (data: Buffer) => this.#receive(data.toString('latin1')));
  }

  static async join(base: string, invitation: string, payloadBytes: number): Promise<RelayClient> {
    const person = new Person();
    const visitor = await SocketClient.connect(base);
    await visitor.hello();
    const { session } = await person.signUp(visitor, invitation);
    await visitor.close();
    const client = await SocketClient.connect(base);
    await client.hello({ session: session as never });
    return new RelayClient(client, person, payloadBytes);
  }

  sendsTo(peer: RelayClient): void {
    this.#to = peer;
    this.#recipients = JSON.stringify([peer.#person.recipient()]);
  }

  send(): void {
    const messageId = uuidV7(Date.now(), randomBytes(10));
    this.sent++;
    this.#to?.expect(messageId);
    this.#client.socket.send(
      `{"id":${++this.#lastId},"method":"${send.name}","params":{"idempotencyId":"${messageId}","payload":"${this.#payload}","recipients":${this.#recipients}}}`,
    );
  }

  /** Notes when a message for this client was sent. */
  expect(messageId: string): void {
    this.#sentAt.set(messageId, performance.now());
  }

  reset(): void {
    this.delays = [];
  }

  async close(): Promise<void> {
    this.#acknowledge();
    await this.#client.close();
  }

  #receive(frame: string): void {
    if (frame.startsWith(`{"event":"${delivered.name}"`)) return this.#take(frame);
    if (frame.includes('"error"')) throw new Error(frame);
    // An acknowledgement's answer says nothing; a send's says its position.
    if (!frame.includes('"position"')) return;
    this.answered++;
    this.onAnswer?.();
  }

  #take(frame: string): void {
    const messageId = /"messageId":"([^"]+)"/.exec(frame)?.[1] ?? '';
    const sentAt = this.#sentAt.get(messageId);
    if (sentAt === undefined) throw new Error('an envelope came twice');
    this.#sentAt.delete(messageId);
    this.delays.push(performance.now() - sentAt);
    this.delivered++;
    this.#toAcknowledge.push(/"queueId":(\d+)/.exec(frame)?.[1] ?? '');
    if (this.#acknowledging) return;
    this.#acknowledging = true;
    setTimeout(() => this.#acknowledge(), ACKNOWLEDGE_EVERY_MS);
  }

  #acknowledge(): void {
    this.#acknowledging = false;
    while (this.#toAcknowledge.length > 0) {
      const queueIds = this.#toAcknowledge.splice(0, 500).join(',');
      this.#client.socket.send(
        `{"id":${++this.#lastId},"method":"${acknowledge.name}","params":{"queueIds":[${queueIds}]}}`,
      );
    }
  }
}
