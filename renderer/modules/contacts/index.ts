import { Contacts } from './contacts.svelte.ts';
import type { ContactsDependencies } from './contacts.svelte.ts';

export type { ContactsController, KnownPerson } from './model.ts';

export function createContacts(deps: ContactsDependencies): Contacts {
  return new Contacts(deps);
}
