import type { EventSink } from '../ws/event-sink.ts';
import type { Audience, Bus } from './bus.ts';

/** The EventSink of the modules: hands every event to the bus, and so to whichever process holds the connection. */
export function busEvents(bus: Bus): EventSink {
  const publish = (audience: Audience, event: string, params: unknown) =>
    bus.publish('event', { audience, event, params: JSON.stringify(params) });
  return {
    toDevice: (userId, deviceId, event, params) => publish({ to: 'device', userId, deviceId }, event.name, params),
    toDeviceInHalves: (userId, deviceId, event, { shared, own }) =>
      bus.publish('event', { audience: { to: 'device', userId, deviceId }, event: event.name, shared, params: own }),
    toUser: (userId, event, params) => publish({ to: 'user', userId }, event.name, params),
    toEveryone: (event, params) => publish({ to: 'everyone' }, event.name, params),
    toSession: (sessionId, event, params) => publish({ to: 'session', sessionId }, event.name, params),
  };
}
