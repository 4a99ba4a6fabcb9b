import type { Attachment } from 'svelte/attachments';

const DELAY_MS = 450;
const GAP_PX = 6;

/**
 * Shows a control's label next to it while it is hovered or focused by keyboard. The bubble lives in the top layer, so
 * no container clips it, and is hidden from assistive technology, which already has the name. Escape hides it (WCAG
 * 2.2, 1.4.13).
 */
export function tooltip(text: () => string): Attachment<HTMLElement> {
  return (node) => {
    let bubble: HTMLElement | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    /** Who has clicked knows what it does; until the pointer leaves there is nothing to say. */
    let known = false;

    const hide = () => {
      clearTimeout(timer);
      bubble?.remove();
      bubble = null;
    };
    const show = () => {
      if (bubble !== null || !node.isConnected) return;
      bubble = createBubble(text());
      // Inside the nearest dialog: a modal one makes everything outside it inert.
      (node.closest('dialog') ?? document.body).append(bubble);
      bubble.showPopover();
      place(bubble, node.getBoundingClientRect());
    };
    const soon = (event: PointerEvent) => {
      if (event.pointerType !== 'mouse' || known) return;
      clearTimeout(timer);
      timer = setTimeout(show, DELAY_MS);
    };
    const pressed = () => {
      known = true;
      hide();
    };
    const left = () => {
      known = false;
      hide();
    };
    const focused = () => {
      if (node.matches(':focus-visible')) show();
    };
    const key = (event: KeyboardEvent) => {
      if (event.key === 'Escape') hide();
    };

    const listeners = new AbortController();
    const { signal } = listeners;
    node.addEventListener('pointerenter', soon, { signal });
    node.addEventListener('pointerleave', left, { signal });
    node.addEventListener('pointerdown', pressed, { signal });
    node.addEventListener('focus', focused, { signal });
    node.addEventListener('blur', hide, { signal });
    node.addEventListener('keydown', key, { signal });
    return () => {
      listeners.abort();
      hide();
    };
  };
}

function createBubble(text: string): HTMLElement {
  const bubble = document.createElement('div');
  bubble.className = 'tooltip';
  bubble.popover = 'manual';
  bubble.ariaHidden = 'true';
  bubble.textContent = text;
  return bubble;
}

function place(bubble: HTMLElement, anchor: DOMRect): void {
  const { offsetWidth: width, offsetHeight: height } = bubble;
  const centred = anchor.left + anchor.width / 2 - width / 2;
  const left = Math.max(GAP_PX, Math.min(centred, innerWidth - width - GAP_PX));
  const below = anchor.bottom + GAP_PX;
  const top = below + height + GAP_PX > innerHeight ? anchor.top - height - GAP_PX : below;
  bubble.style.left = `${Math.round(left)}px`;
  bubble.style.top = `${Math.round(top)}px`;
}
