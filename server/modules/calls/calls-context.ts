import type { ParticipantId } from '../../../protocol/calls.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { Sfu } from '../../sfu/sfu.ts';
import type { CallRegistry } from './call-registry.ts';
import type { Clock } from './clock.ts';

/** What the methods of this module work with. */
export interface CallsContext {
  readonly sfu: Sfu;
  readonly registry: CallRegistry;
  readonly clock: Clock;
  readonly newId: () => ParticipantId;
  /** Whether every one of these accounts is there. */
  readonly usersExist: (users: readonly UserId[]) => Promise<boolean>;
}
