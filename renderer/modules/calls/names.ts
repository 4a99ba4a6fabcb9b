import type { UserId } from '../../../protocol/ids.ts';
import type { ContactsController } from '../contacts/model.ts';

/** Asked for at once, whatever calls a server describes meanwhile: several calls full of people. */
const AT_ONCE = 200;

/** Fetches the names of people in calls: one question at a time, for all who were named while it was under way. */
export class Names {
  readonly #contacts: Pick<ContactsController, 'ensure'>;
  #wanted = new Set<UserId>();
  #asking = false;

  constructor(contacts: Pick<ContactsController, 'ensure'>) {
    this.#contacts = contacts;
  }

  /** Names that could not be fetched are asked for again when their call changes. */
  want(users: readonly UserId[]): void {
    for (const userId of users) if (this.#wanted.size < AT_ONCE) this.#wanted.add(userId);
    if (!this.#asking) void this.#ask();
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    while (this.#wanted.size > 0) {
      const users = [...this.#wanted];
      this.#wanted = new Set();
      await this.#contacts.ensure(users).catch(() => {});
    }
    this.#asking = false;
  }
}
