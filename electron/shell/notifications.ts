/** As much of Electron's Notification as is used. */
export interface SystemNotification {
  on(event: 'click' | 'close', listener: () => void): unknown;
  show(): void;
  close(): void;
}

export interface NotificationsOptions {
  readonly isSupported: () => boolean;
  readonly create: (content: { title: string; body: string }) => SystemNotification;
  readonly onClick: (tag: string) => void;
}

/** Notifications of the system, at most one for each tag. What they say stays on this machine. */
export class Notifications {
  readonly #options: NotificationsOptions;
  /** Also keeps them from being collected, which would end their clicks. */
  readonly #shown = new Map<string, SystemNotification>();

  constructor(options: NotificationsOptions) {
    this.#options = options;
  }

  show({ tag, title, body }: { tag: string; title: string; body: string }): void {
    if (!this.#options.isSupported()) return;
    this.#shown.get(tag)?.close();
    const notification = this.#options.create({ title, body });
    const forget = () => {
      if (this.#shown.get(tag) === notification) this.#shown.delete(tag);
    };
    notification.on('close', forget);
    notification.on('click', () => {
      forget();
      this.#options.onClick(tag);
    });
    this.#shown.set(tag, notification);
    notification.show();
  }

  /** Takes all of them away, when the app ends. */
  closeAll(): void {
    for (const notification of this.#shown.values()) notification.close();
    this.#shown.clear();
  }
}
