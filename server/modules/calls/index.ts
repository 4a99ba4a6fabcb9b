import { randomUUID } from 'node:crypto';
import type { ParticipantId } from '../../../protocol/calls.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { Log } from '../../sfu/log.ts';
import type { Sfu } from '../../sfu/sfu.ts';
import type { ConnectionEvents, EventSink } from '../../ws/event-sink.ts';
import type { ServerModule } from '../../ws/module.ts';
import { registerActive } from './active.ts';
import { CallRegistry } from './call-registry.ts';
import type { CallsContext } from './calls-context.ts';
import { registerCapabilities } from './capabilities.ts';
import type { Clock } from './clock.ts';
import { registerConnectTransport } from './connect-transport.ts';
import { registerDecline } from './decline.ts';
import { registerInvite } from './invite.ts';
import { registerJoin } from './join.ts';
import { registerLeave } from './leave.ts';
import { registerProduce } from './produce.ts';
import { registerRestartIce } from './restart-ice.ts';
import { registerSetConsumer } from './set-consumer.ts';
import { registerSetProducer } from './set-producer.ts';
import { registerStart } from './start.ts';

export { systemClock, type Clock } from './clock.ts';

export interface CallsOptions {
  readonly sfu: Sfu;
  readonly events: EventSink;
  readonly connections: ConnectionEvents;
  /** Whether every one of these accounts is there (a duplicate counts once). */
  readonly usersExist: (users: readonly UserId[]) => Promise<boolean>;
  readonly logger: Log;
  /** `systemClock` in production. */
  readonly clock: Clock;
}

/** Ringing, joining and the media of calls. See README.md for the life of a call. */
export function callsModule({ sfu, events, connections, usersExist, logger, clock }: CallsOptions): ServerModule {
  const newId = () => randomUUID() as ParticipantId;
  const registry = new CallRegistry({ sfu, events, logger, clock, newId }, connections);
  const context: CallsContext = { sfu, registry, clock, newId, usersExist };
  return {
    methods: [
      registerCapabilities(context),
      registerStart(context),
      registerInvite(context),
      registerJoin(context),
      registerDecline(context),
      registerLeave(context),
      registerActive(context),
      registerConnectTransport(context),
      registerRestartIce(context),
      registerProduce(context),
      registerSetProducer(context),
      registerSetConsumer(context),
    ],
    close: async () => registry.close(),
  };
}
