import type { Person } from '../../protocol/contacts.ts';
import type { Catalog } from '../i18n/en.ts';
import { places } from './places.ts';
import type { Route } from './route.ts';

/** Something the palette offers. `words` is what it is found by. */
export interface PaletteCommand {
  readonly id: string;
  readonly name: string;
  readonly detail: string;
  readonly words: string;
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
  const command = (id: string, name: string, run: () => void): PaletteCommand => ({
    id,
    name,
    detail: palette.commands,
    words: name.toLocaleLowerCase(),
    run,
  });
  const themes = ['system', 'light', 'dark'] as const;
  return [
    command('new-chat', catalog.chat.newChat, actions.newChat),
    ...places.map((place) => command(place.id, palette.goTo(place.name(catalog)), () => actions.go(place.route))),
    ...themes.map((theme) =>
      command(`theme-${theme}`, palette.theme(settings.themes[theme]), () => actions.setTheme(theme)),
    ),
    command('help', catalog.shortcuts.title, actions.help),
    ...people.map((person) => ({
      id: person.userId,
      name: palette.chatWith(person.displayName),
      detail: `@${person.username}`,
      words: `${person.displayName} ${person.username}`.toLocaleLowerCase(),
      run: () => actions.go({ page: 'chats', userId: person.userId }),
    })),
  ];
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
