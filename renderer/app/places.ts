import Contact from '@lucide/svelte/icons/contact-round';
import MessageCircle from '@lucide/svelte/icons/message-circle';
import Phone from '@lucide/svelte/icons/phone';
import Settings from '@lucide/svelte/icons/settings';
import type { Component } from 'svelte';
import type { Catalog } from '../i18n/en.ts';
import { home, type Route } from './route.ts';

/** A module's entry in the rail. */
export interface Place {
  readonly id: 'chats' | 'calls' | 'contacts' | 'settings';
  readonly route: Route;
  readonly icon: Component<{ size?: number | string }>;
  readonly name: (catalog: Catalog) => string;
}

/** In the order of the rail; Alt and the place's number goes there. */
export const places: readonly Place[] = [
  { id: 'chats', route: home, icon: MessageCircle, name: ({ nav }) => nav.chats },
  { id: 'calls', route: { page: 'calls' }, icon: Phone, name: ({ nav }) => nav.calls },
  { id: 'contacts', route: { page: 'contacts' }, icon: Contact, name: ({ nav }) => nav.contacts },
  { id: 'settings', route: { page: 'settings', section: null }, icon: Settings, name: ({ nav }) => nav.settings },
];
