import { tick } from 'svelte';

/**
 * After something that covered the page is gone: where nothing has the focus, Tab begins anew at the top and a screen
 * reader is nowhere. It goes to what had it before, or, where that is gone or out of use by now, to the page.
 */
export async function holdFocus(page: HTMLElement, before: Element | null): Promise<void> {
  await tick();
  const isNowhere = () => document.activeElement === document.body;
  if (isNowhere() && before instanceof HTMLElement && before.isConnected) before.focus();
  if (isNowhere()) page.focus();
}
