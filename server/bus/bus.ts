import type { DeviceId, SessionId, UserId } from '../../protocol/ids.ts';

/** To whom an event goes. */
export type Audience =
  | { readonly to: 'device'; readonly userId: UserId; readonly deviceId: DeviceId }
  | { readonly to: 'user'; readonly userId: UserId }
  | { readonly to: 'everyone' }
  | { readonly to: 'session'; readonly sessionId: SessionId };

/** What the parts and processes of one server tell each other. Every message is plain JSON. */
export interface Topics {
  /**
   * An event for connected clients; `params` is its JSON text, made once however many receive it. `shared`: what comes
   * before it in the text, the same for many; the event lies in the store, where whoever reads slowly can ask for it.
   */
  event: { readonly audience: Audience; readonly event: string; readonly shared?: string; readonly params: string };
  sessionRevoked: { readonly sessionId: SessionId };
}
export type Topic = keyof Topics;

/**
 * Events between the parts of the server, and between server processes where there are several. Delivery is at most once
 * and in order for each publisher; what must not be lost is in the store.
 */
export interface Bus {
  publish<T extends Topic>(topic: T, message: Topics[T]): void;
  /** Returns the undo. */
  subscribe<T extends Topic>(topic: T, listener: (message: Topics[T]) => void): () => void;
  close(): Promise<void>;
}
