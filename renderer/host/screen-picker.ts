import { flushSync, mount, unmount } from 'svelte';
import type { ScreenChoice, ScreenRequest } from '../../protocol/ipc/bridge.ts';
import { I18n } from '../i18n/i18n.svelte.ts';
import { preferredLocale } from '../i18n/locales.ts';
import ScreenPicker from './ScreenPicker.svelte';

/** Shows the picker over whatever is on the screen, and resolves once the person chose or cancelled. */
export async function pickScreen(request: ScreenRequest): Promise<ScreenChoice | null> {
  const i18n = new I18n();
  await i18n.use(preferredLocale(navigator.languages));
  const { promise, resolve } = Promise.withResolvers<ScreenChoice | null>();
  const picker = mount(ScreenPicker, { target: document.body, props: { i18n, request, onchoice: resolve } });
  flushSync();
  try {
    return await promise;
  } finally {
    await unmount(picker);
  }
}
