/** What the frame does at a key. */
export type Shortcut =
  | { readonly kind: 'palette' }
  | { readonly kind: 'new-chat' }
  | { readonly kind: 'help' }
  | { readonly kind: 'back' }
  | { readonly kind: 'module'; readonly index: number }
  | { readonly kind: 'chat'; readonly step: 1 | -1 };

type Key = Pick<KeyboardEvent, 'key' | 'code' | 'altKey' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'isComposing'>;

/** Finds the shortcut of a key. `typing`: the focus is in a field, where bare keys are text. */
export function shortcutOf(event: Key, typing: boolean): Shortcut | null {
  if (event.isComposing) return null;
  const command = event.ctrlKey !== event.metaKey;
  if (command && !event.altKey && !event.shiftKey && event.key.toLowerCase() === 'k') return { kind: 'palette' };
  if (event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey) return withAlt(event.code);
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (event.key === 'Escape') return { kind: 'back' };
  return event.key === '?' && !typing ? { kind: 'help' } : null;
}

/** By the key's place, since Alt makes another character of it on some keyboards. */
function withAlt(code: string): Shortcut | null {
  const digit = /^Digit([1-4])$/.exec(code)?.[1];
  if (digit !== undefined) return { kind: 'module', index: Number(digit) - 1 };
  if (code === 'KeyN') return { kind: 'new-chat' };
  if (code === 'ArrowDown') return { kind: 'chat', step: 1 };
  if (code === 'ArrowUp') return { kind: 'chat', step: -1 };
  return null;
}

/** Whether keys typed at this element are text. */
export function takesText(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]') !== null;
}
