import * as accounts from './accounts.ts';
import * as administration from './administration.ts';
import * as calls from './calls.ts';
import * as chat from './chat.ts';
import * as contacts from './contacts.ts';
import * as devices from './devices.ts';
import { hello, resynchronise } from './hello.ts';
import type { EventType, Method } from './method.ts';
import { ping } from './ping.ts';

/** Every method of the wire: what the server must answer, and what docs/protocol.md is made from. */
export const METHODS = [
  hello,
  ping,
  accounts.checkInvitation,
  accounts.signUp,
  accounts.signIn,
  accounts.signOut,
  accounts.sessions,
  accounts.revokeSession,
  accounts.createInvitations,
  accounts.changePassword,
  accounts.checkReset,
  accounts.completeReset,
  administration.managedPeople,
  administration.suspend,
  administration.reinstate,
  administration.remove,
  administration.resetPassword,
  contacts.search,
  contacts.get,
  contacts.publishProfile,
  devices.lists,
  devices.takeBundles,
  devices.prekeyStatus,
  devices.publishPrekeys,
  devices.publishList,
  devices.requestLink,
  devices.linkRequests,
  chat.send,
  chat.pending,
  chat.acknowledge,
  chat.expired,
  chat.dismissExpired,
  calls.capabilities,
  calls.start,
  calls.invite,
  calls.join,
  calls.decline,
  calls.leave,
  calls.active,
  calls.connectTransport,
  calls.restartIce,
  calls.produce,
  calls.setProducer,
  calls.setConsumer,
] as const satisfies readonly Method[];

/** Every event the server may send. */
export const EVENTS = [
  resynchronise,
  contacts.changed,
  devices.listChanged,
  devices.prekeysLow,
  devices.linkRequested,
  devices.linked,
  chat.delivered,
  chat.expiredChanged,
  calls.ringing,
  calls.updated,
  calls.ended,
  calls.consumerAdded,
  calls.consumerRemoved,
  calls.consumerPaused,
  calls.activeSpeaker,
] as const satisfies readonly EventType[];
