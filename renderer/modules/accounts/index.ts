import { Accounts } from './accounts.svelte.ts';
import type { AccountsDependencies } from './accounts.svelte.ts';

export type { AccountsController, AccountStage, InvitationInfo } from './model.ts';

/** Call `begin` once everything that it leads to is built. */
export function createAccounts(deps: AccountsDependencies): Accounts {
  return new Accounts(deps);
}
