import type { DeviceId, SessionId, UserId } from '../../protocol/ids.ts';
import type { EventParamsOf, EventType } from '../../protocol/method.ts';

/** The JSON text of an event's params, in two halves. The first is the same for many devices, and made once. */
export interface Halves {
  readonly shared: string;
  readonly own: string;
}

/**
 * How modules reach connected clients. Delivery is best effort to whoever is connected (and to the stream that a client
 * resumes); what must not be lost lives in the store and is fetched. Never throws.
 */
export interface EventSink {
  toDevice<E extends EventType>(userId: UserId, deviceId: DeviceId, event: E, params: EventParamsOf<E>): void;
  /**
   * As `toDevice`, of something that lies in the store: a device that reads too slowly is told to ask for what it has
   * missed instead.
   */
  toDeviceInHalves(userId: UserId, deviceId: DeviceId, event: EventType, halves: Halves): void;
  /** To all linked devices of an account. */
  toUser<E extends EventType>(userId: UserId, event: E, params: EventParamsOf<E>): void;
  /** To every signed-in device. */
  toEveryone<E extends EventType>(event: E, params: EventParamsOf<E>): void;
  /** To one session, linked or not. */
  toSession<E extends EventType>(sessionId: SessionId, event: E, params: EventParamsOf<E>): void;
}

/** What a module may learn of connections. */
export interface ConnectionEvents {
  /** `listener` is called once for each connection that ends, after its last request was answered. Returns the undo. */
  onClosed(listener: (closed: { readonly connectionId: string }) => void): () => void;
}
