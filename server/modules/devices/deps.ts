import type { DeviceId, SessionId, UserId } from '../../../protocol/ids.ts';
import type { Bus } from '../../bus/bus.ts';
import type { Trx } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import type { EventSink } from '../../ws/event-sink.ts';
import type { CallerSession } from '../../ws/method.ts';

export interface DevicesDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly events: EventSink;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** What other modules keep for a device, and let go of when it leaves the list. */
  readonly deleteDeviceSessions: (trx: Trx, userId: UserId, deviceId: DeviceId) => Promise<SessionId[]>;
  /** Throws unless whoever asked may do so still; to be asked first in a transaction. */
  readonly requireStanding: (trx: Trx, session: CallerSession) => Promise<void>;
  /** Whether messages for a device that had this number are still being deleted. */
  readonly isQueueInUse: (trx: Trx, userId: UserId, deviceId: DeviceId) => Promise<boolean>;
  /** Told once devices have left a list and that is committed. */
  readonly devicesGone: () => void;
  readonly bindSession: (trx: Trx, sessionId: SessionId, deviceId: DeviceId) => Promise<void>;
}
