import type { DeviceList } from '../../protocol/devices.ts';
import type { DeviceAddress } from '../../protocol/ids.ts';
import { parseSessions } from '../sessions/session-state.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import { devicesToReach } from './seal-message.ts';

/** The devices on these lists with which there is no session yet: take a bundle for each and `startSession`. */
export async function sessionsMissing(
  store: SessionStore,
  recipients: readonly DeviceList[],
  sender: DeviceAddress,
): Promise<DeviceAddress[]> {
  const addresses = recipients.flatMap((list) => devicesToReach(list, sender).map(({ address }) => address));
  const records = await Promise.all(addresses.map((address) => store.loadSession(address)));
  return addresses.filter((_, i) => parseSessions(records[i]).open === null);
}
