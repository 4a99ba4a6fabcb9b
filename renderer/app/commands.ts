import Keyboard from '@lucide/svelte/icons/keyboard';
import MessageCirclePlus from '@lucide/svelte/icons/message-circle-plus';
import Monitor from '@lucide/svelte/icons/monitor';
import Moon from '@lucide/svelte/icons/moon';
import Sun from '@lucide/svelte/icons/sun';
import type { Component } from 'svelte';
import type { Person } from '../../protocol/contacts.ts';
import type { Catalog } from '../i18n/en.ts';
import { places } from './places.ts';
import type { Route } from './route.ts';

type Icon = Component<{ size?: number | string }>;

/** Something the palette offers. `words` is what it is found by. */
export interface PaletteCommand {
  readonly id: string;
  readonly name: string;
  readonly detail: string;
  readonly words: string;
  /** Null for a person, who has an avatar. */
  readonly icon: Icon | null;
  readonly run: () => void;
}

export interface CommandActions {
  readonly go: (route: Route) => void;
  readonly newChat: () => void;
  readonly help: () => void;
  readonly setTheme: (theme: 'system' | 'light' | 'dark') => void;
}

/** The commands of the frame, then everybody one may write to. */
export function commandsOf(
  catalog: Catalog,
  people: readonly Person[],
  actions: CommandActions,
): readonly PaletteCommand[] {
  const { palette, settings } = catalog;
  const command = (id: string, name: string, icon: Icon, run: () => void): PaletteCommand => ({
    id,
    name,
    icon,
    detail: '',
    words: name.toLocaleLowerCase(),
    run,
  });
  const themes = { system: Monitor, light: Sun, dark: Moon } as const;
  return [
    command('new-chat', catalog.chat.newChat, MessageCirclePlus, actions.newChat),
    ...places.map((place) =>
      command(place.id, palette.goTo(place.name(catalog)), place.icon, () => actions.go(place.route)),
    ),
    ...(['system', 'light', 'dark'] as const).map((theme) =>
      command(`theme-${theme}`, palette.theme(settings.themes[theme]), themes[theme], () => actions.setTheme(theme)),
    ),
    command('help', catalog.shortcuts.title, Keyboard, actions.help),
    ...people.filter(isActive).map((person) => ({
      id: person.userId,
      name: palette.chatWith(person.displayName),
      detail: `@${person.username}`,
      words: `${person.displayName} ${person.username}`.toLocaleLowerCase(),
      icon: null,
      run: () => actions.go({ page: 'chats', userId: person.userId }),
    })),
  ];
}

/** Who is suspended or was removed takes no messages. */
function isActive({ status }: Person): boolean {
  return status === undefined;
}

/** Those in which every typed word occurs; ones that begin with the text first, otherwise in their order. */
export function matchingCommands(
  commands: readonly PaletteCommand[],
  text: string,
  limit: number,
): readonly PaletteCommand[] {
  const typed = text.trim().toLocaleLowerCase();
  const wanted = typed.split(/\s+/u).filter(Boolean);
  const found = commands.filter(({ words }) => wanted.every((word) => words.includes(word)));
  const begins = (candidate: PaletteCommand) => (typed !== '' && candidate.words.startsWith(typed) ? 0 : 1);
  return found.toSorted((a, b) => begins(a) - begins(b)).slice(0, limit);
}
