import { randomUUID } from 'node:crypto';
import { ProtocolError } from '../../../../protocol/errors.ts';
import type { SessionId } from '../../../../protocol/ids.ts';
import { CallId, DeviceId, IdempotencyId, UserId } from '../../../../protocol/ids.ts';
import type { EventParamsOf, EventType, Method, ParamsOf, ResultOf } from '../../../../protocol/method.ts';
import type { Sfu } from '../../../sfu/sfu.ts';
import { silentLog } from '../../../sfu/testing/rtp-parameters.ts';
import type { ConnectionEvents, EventSink } from '../../../ws/event-sink.ts';
import type { CallerOf } from '../../../ws/method.ts';
import type { ServerModule } from '../../../ws/module.ts';
import { callsModule } from '../index.ts';
import { ManualClock } from './manual-clock.ts';

export interface Recorded {
  readonly userId: UserId;
  /** Null: to all devices of the account. */
  readonly deviceId: DeviceId | null;
  readonly event: string;
  readonly params: unknown;
}

/** The calls module on a real media server, with everything around it replaced by something small. */
export class CallsHarness {
  readonly clock = new ManualClock();
  readonly recorded: Recorded[] = [];
  readonly module: ServerModule;
  readonly sfu: Sfu;
  readonly #closedListeners = new Set<(closed: { readonly connectionId: string }) => void>();
  readonly #recordedListeners = new Set<(recorded: Recorded) => void>();
  readonly #unknown = new Set<UserId>();

  constructor(sfu: Sfu) {
    this.sfu = sfu;
    this.module = callsModule({
      sfu,
      events: this.#sink(),
      connections: this.#connections(),
      usersExist: async (users) => !users.some((user) => this.#unknown.has(user)),
      logger: silentLog,
      clock: this.clock,
    });
  }

  /** An account with one device and one connection. */
  client(): TestClient {
    return new TestClient(this, UserId.parse(randomUUID()), newDevice());
  }

  stranger(): UserId {
    const user = UserId.parse(randomUUID());
    this.#unknown.add(user);
    return user;
  }

  disconnect(connectionId: string): void {
    for (const listener of this.#closedListeners) listener({ connectionId });
  }

  onRecorded(listener: (recorded: Recorded) => void): void {
    this.#recordedListeners.add(listener);
  }

  get listeners(): number {
    return this.#closedListeners.size;
  }

  /** As the method registry does it: schema, handler, and here the result's schema too. */
  async call<M extends Method>(method: M, params: unknown, caller: CallerOf['device']): Promise<ResultOf<M>> {
    const registered = this.module.methods.find((one) => one.method.name === method.name);
    if (registered === undefined) throw new Error(`${method.name} is not registered`);
    const handle = registered.handle as unknown as (params: unknown, caller: unknown) => Promise<unknown>;
    const parsed = registered.method.params.safeParse(params);
    if (!parsed.success) throw new ProtocolError('invalid_request', 'does not fit the schema', { issues: [] });
    const result = await handle(parsed.data, caller);
    return method.result.parse(overTheWire(result)) as ResultOf<M>;
  }

  #sink(): EventSink {
    const record = (userId: UserId, deviceId: DeviceId | null, event: EventType, params: unknown) => {
      const recorded = { userId, deviceId, event: event.name, params: event.params.parse(overTheWire(params)) };
      this.recorded.push(recorded);
      for (const listener of this.#recordedListeners) listener(recorded);
    };
    const unexpected = () => {
      throw new Error('calls never address anybody in this way');
    };
    return {
      toDevice: (userId, deviceId, event, params) => record(userId, deviceId, event, params),
      toDeviceInHalves: unexpected,
      toUser: (userId, event, params) => record(userId, null, event, params),
      toEveryone: unexpected,
      toSession: unexpected,
    };
  }

  #connections(): ConnectionEvents {
    return {
      onClosed: (listener) => {
        this.#closedListeners.add(listener);
        return () => this.#closedListeners.delete(listener);
      },
    };
  }
}

/** What a client says of calls, over one connection of one device. */
export class TestClient {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly connectionId = randomUUID();
  readonly #harness: CallsHarness;

  constructor(harness: CallsHarness, userId: UserId, deviceId: DeviceId) {
    this.#harness = harness;
    this.userId = userId;
    this.deviceId = deviceId;
  }

  get sfu(): Sfu {
    return this.#harness.sfu;
  }

  /** The same device over a new connection. */
  reconnected(): TestClient {
    return new TestClient(this.#harness, this.userId, this.deviceId);
  }

  /** Another device of the same account. */
  otherDevice(): TestClient {
    return new TestClient(this.#harness, this.userId, newDevice());
  }

  disconnect(): void {
    this.#harness.disconnect(this.connectionId);
  }

  request<M extends Method>(method: M, params: Omit<ParamsOf<M>, 'idempotencyId'>): Promise<ResultOf<M>> {
    const keyed = method.effect === 'keyed' ? { idempotencyId: IdempotencyId.parse(randomUUID()), ...params } : params;
    return this.#harness.call(method, keyed, this.#caller());
  }

  /** What this device has been sent of one event, oldest first. */
  heard<E extends EventType>(event: E): EventParamsOf<E>[] {
    return this.#harness.recorded
      .filter(({ userId, deviceId }) => userId === this.userId && (deviceId === null || deviceId === this.deviceId))
      .filter((one) => one.event === event.name)
      .map(({ params }) => params as EventParamsOf<E>);
  }

  #caller(): CallerOf['device'] {
    const sessionId = randomUUID() as SessionId;
    return {
      connectionId: this.connectionId,
      address: '192.0.2.1',
      challenge: Buffer.alloc(32).toString('base64'),
      payer: { work: () => undefined },
      client: 'test',
      session: { sessionId, userId: this.userId, role: 'member', deviceId: this.deviceId },
    };
  }
}

export function newCallId(): CallId {
  return CallId.parse(randomUUID());
}

function newDevice(): DeviceId {
  return DeviceId.parse(1 + Math.floor(Math.random() * 0x7ffffffe));
}

/** Only what JSON carries arrives. */
function overTheWire(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
