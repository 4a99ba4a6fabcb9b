import { describe, expect, it, vi } from 'vitest';
import { Notifications } from './notifications.ts';

function setUp(isSupported = true) {
  const made: { content: object; fire: (event: string) => void; show: () => void; close: () => void }[] = [];
  const onClick = vi.fn();
  const notifications = new Notifications({
    isSupported: () => isSupported,
    create: (content) => {
      const listeners = new Map<string, () => void>();
      const notification = {
        content,
        on: (event: string, listener: () => void) => listeners.set(event, listener),
        fire: (event: string) => listeners.get(event)?.(),
        show: vi.fn(),
        close: vi.fn(() => listeners.get('close')?.()),
      };
      made.push(notification);
      return notification;
    },
    onClick,
  });
  const show = (tag: string, title = 'Ann') => notifications.show({ tag, title, body: 'Hello' });
  return { notifications, show, made, onClick };
}

describe('Notifications', () => {
  it('shows one and tells which was clicked', () => {
    const { show, made, onClick } = setUp();
    show('a');
    show('b');
    expect(made[0]!.content).toEqual({ title: 'Ann', body: 'Hello' });
    expect(made[0]!.show).toHaveBeenCalledOnce();
    made[1]!.fire('click');
    expect(onClick.mock.calls).toEqual([['b']]);
  });

  it('replaces the earlier one of the same tag', () => {
    const { show, made, notifications } = setUp();
    show('a', 'Ann');
    show('a', 'Bob');
    expect(made[0]!.close).toHaveBeenCalledOnce();
    expect(made[1]!.show).toHaveBeenCalledOnce();
    // The late "close" of the first one does not make it forget the second.
    made[0]!.fire('close');
    notifications.closeAll();
    expect(made[1]!.close).toHaveBeenCalledOnce();
  });

  it('shows nothing where the system has none', () => {
    const { show, made } = setUp(false);
    show('a');
    expect(made).toEqual([]);
  });

  it('takes all away at the end, but not those that are gone', () => {
    const { show, made, notifications } = setUp();
    show('a');
    show('b');
    show('c');
    made[0]!.fire('close');
    made[1]!.fire('click');
    notifications.closeAll();
    expect(made.map(({ close }) => vi.mocked(close).mock.calls.length)).toEqual([0, 0, 1]);
  });
});
