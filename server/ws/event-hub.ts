import { CloseCode } from '../../protocol/frames.ts';
import type { SessionId, UserId } from '../../protocol/ids.ts';
import type { Bus, Topics } from '../bus/bus.ts';
import { roleMay } from './capabilities.ts';
import type { Connection } from './connection.ts';
import { EventStream, type EventLoss, type StreamOwner } from './event-stream.ts';
import { LIMITS } from './limits.ts';
import { SharedBytes } from './shared-bytes.ts';

export interface Attached {
  readonly stream: EventStream;
  readonly seq: number;
  readonly resumed: boolean;
  /** Frames that the client missed; to be sent right after the answer to its hello. */
  readonly missed: readonly string[];
}

/** Brings events from the bus to the streams of the clients that are connected to this process. */
export class EventHub {
  readonly #now: () => number;
  readonly #onLoss: EventLoss;
  /** By device, or by session where there is no device. */
  readonly #streams = new Map<string, EventStream>();
  readonly #byUser = new Map<UserId, Set<EventStream>>();
  readonly #bySession = new Map<SessionId, EventStream>();
  /** Whoever said hello: a session may have several connections, of which only one has the stream. */
  readonly #connections = new Set<Connection>();
  readonly #undo: readonly (() => void)[];
  readonly #sharedBytes = new SharedBytes();

  /** `onLoss` is told of events that no frame can hold. */
  constructor(bus: Bus, now: () => number, onLoss: EventLoss) {
    this.#now = now;
    this.#onLoss = onLoss;
    this.#undo = [
      bus.subscribe('event', (message) => this.#deliver(message)),
      bus.subscribe('sessionRevoked', ({ sessionId }) => this.#revoke(sessionId)),
    ];
  }

  /** Gives a connection its stream. An older connection of the same device is closed. */
  attach(
    connection: Connection,
    owner: StreamOwner | null,
    resume: { stream: string; seq: number } | undefined,
  ): Attached {
    this.detach(connection);
    this.#connections.add(connection);
    const stream = owner ? this.#streamOf(owner) : new EventStream(null, this.#onLoss);
    const missed = resume && resume.stream === stream.id ? stream.after(resume.seq) : null;
    const replaced = stream.connection;
    stream.connection = connection;
    stream.detachedAt = null;
    stream.catchUp();
    connection.stream = stream;
    if (replaced) {
      replaced.stream = null;
      replaced.close(CloseCode.replaced, 'replaced by a newer connection of this device');
    }
    return { stream, seq: stream.seq, resumed: missed !== null, missed: missed ?? [] };
  }

  detach(connection: Connection): void {
    this.#connections.delete(connection);
    const { stream } = connection;
    connection.stream = null;
    if (stream?.connection !== connection) return;
    stream.connection = null;
    stream.detachedAt = this.#now();
  }

  /** Sessions that are connected now. */
  liveSessions(): SessionId[] {
    return [...this.#bySession].filter(([, stream]) => stream.connection !== null).map(([sessionId]) => sessionId);
  }

  /** Forgets the streams of clients that have been away for long. */
  sweep(): void {
    const oldest = this.#now() - LIMITS.streamAge.value;
    for (const stream of this.#streams.values()) {
      if (stream.detachedAt !== null && stream.detachedAt < oldest) this.#forget(stream);
    }
  }

  close(): void {
    for (const undo of this.#undo) undo();
  }

  #streamOf(owner: StreamOwner): EventStream {
    const key = keyOf(owner);
    const known = this.#streams.get(key);
    if (known?.owner?.sessionId === owner.sessionId) return known;
    // Another session of the device (it signed in anew): its events go on in a stream of its own.
    const stream = new EventStream(owner, this.#onLoss);
    if (known) {
      stream.connection = known.connection;
      if (known.connection) known.connection.stream = stream;
      known.connection = null;
      this.#forget(known);
    }
    this.#endEarlier(owner.sessionId);
    this.#streams.set(key, stream);
    this.#bySession.set(owner.sessionId, stream);
    const ofUser = this.#byUser.get(owner.userId);
    if (ofUser) ofUser.add(stream);
    else this.#byUser.set(owner.userId, new Set([stream]));
    return stream;
  }

  /** A session that became a device's leaves no connection behind that knows it as something else. */
  #endEarlier(sessionId: SessionId): void {
    const earlier = this.#bySession.get(sessionId);
    if (!earlier) return;
    const { connection } = earlier;
    earlier.connection = null;
    this.#forget(earlier);
    if (!connection) return;
    connection.stream = null;
    connection.close(CloseCode.replaced, 'replaced by a newer connection of this session');
  }

  #forget(stream: EventStream): void {
    const { owner } = stream;
    if (!owner) return;
    const key = keyOf(owner);
    if (this.#streams.get(key) === stream) this.#streams.delete(key);
    if (this.#bySession.get(owner.sessionId) === stream) this.#bySession.delete(owner.sessionId);
    const ofUser = this.#byUser.get(owner.userId);
    ofUser?.delete(stream);
    if (ofUser?.size === 0) this.#byUser.delete(owner.userId);
  }

  #deliver({ audience, event, shared, params }: Topics['event']): void {
    const now = this.#now();
    switch (audience.to) {
      case 'device': {
        const stream = this.#streams.get(deviceKey(audience.userId, audience.deviceId));
        if (!stream || !isMember(stream)) break;
        if (shared === undefined) stream.push(event, params, now);
        else stream.pushStored(event, this.#sharedBytes.of(event, shared), params, now);
        break;
      }
      case 'user':
        for (const stream of this.#byUser.get(audience.userId) ?? []) {
          if (isMember(stream)) stream.push(event, params, now);
        }
        break;
      case 'everyone':
        for (const stream of this.#streams.values()) {
          if (isMember(stream)) stream.push(event, params, now);
        }
        break;
      case 'session':
        this.#bySession.get(audience.sessionId)?.push(event, params, now);
        break;
    }
  }

  #revoke(sessionId: SessionId): void {
    const stream = this.#bySession.get(sessionId);
    if (stream) {
      stream.connection = null;
      this.#forget(stream);
    }
    // What a connection may do was settled at its hello, so each of the session's must end.
    for (const connection of this.#connections) {
      if (connection.caller?.session?.sessionId !== sessionId) continue;
      connection.stream = null;
      connection.close(CloseCode.sessionRevoked, 'the session was revoked');
    }
  }
}

function keyOf(owner: StreamOwner): string {
  return owner.deviceId === null ? owner.sessionId : deviceKey(owner.userId, owner.deviceId);
}

/** Whether it hears of the organisation's life: a linked device, and not a guest's. */
function isMember({ owner }: EventStream): boolean {
  return owner !== null && owner.deviceId !== null && roleMay(owner.role, 'organisation');
}

function deviceKey(userId: string, deviceId: number): string {
  return `${userId}/${deviceId}`;
}
