import type { Host } from '../host/host.ts';
import type { AccountsController } from '../modules/accounts/model.ts';
import type { CallsController } from '../modules/calls/model.ts';
import type { ChatController } from '../modules/chat/model.ts';
import type { ContactsController } from '../modules/contacts/model.ts';
import type { DevicesController } from '../modules/devices/model.ts';
import type { ConnectionState } from '../net/connection.ts';

/** Everything the interface is made of; built once by `compose.ts` and handed down through Svelte's context. */
export interface AppContext {
  readonly host: Host;
  /** Reactive. */
  readonly line: {
    readonly state: ConnectionState;
    /** Without short interruptions. */
    readonly shown: ConnectionState;
    readonly wasOnline: boolean;
  };
  /** Reactive: whether this device can store nothing just now. */
  readonly storage: { readonly failing: boolean };
  readonly accounts: AccountsController;
  readonly devices: DevicesController;
  readonly contacts: ContactsController;
  readonly chat: ChatController;
  readonly calls: CallsController;
}
