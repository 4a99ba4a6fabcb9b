import { lists } from '../../../protocol/devices.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { rolesWith } from '../../ws/capabilities.ts';
import { register } from '../../ws/method.ts';
import type { ServerModule } from '../../ws/module.ts';
import type { DevicesDeps } from './deps.ts';
import { linkRequestsMethod, requestLinkMethod } from './link-requests.ts';
import { prekeyStatusMethod, publishPrekeysMethod, takeBundlesMethod } from './prekeys.ts';
import { publishListMethod } from './publish-list.ts';

export type { DevicesDeps } from './deps.ts';
export { DeviceDirectory } from './device-directory.ts';
export { verifyEd25519 } from './ed25519.ts';
export { pruneLinkRequests } from './link-requests.ts';
export { requireFirstList } from './lists.ts';
export { dropPrekeys, insertDevice, insertList } from './store.ts';

/** Device lists, prekeys, and the linking of new devices. */
export function devicesModule(deps: DevicesDeps): ServerModule {
  return {
    methods: [
      listsMethod(deps),
      takeBundlesMethod(deps),
      prekeyStatusMethod(deps),
      publishPrekeysMethod(deps),
      publishListMethod(deps),
      requestLinkMethod(deps),
      linkRequestsMethod(deps),
    ],
  };
}

function listsMethod({ store }: DevicesDeps) {
  return register(lists, {
    permission: 'account',
    limit: { requests: 600, seconds: 60, by: 'account' },
    handle: async ({ users }, { session }) => {
      // A password alone opens nothing but the way to being linked, for which the own list is needed.
      if (session.deviceId === null && users.some((userId) => userId !== session.userId))
        throw new ProtocolError('device_required', 'Only a linked device may see other people’s devices.');
      const rows = await store.db
        .selectFrom('deviceLists')
        .innerJoin('accounts', 'accounts.userId', 'deviceLists.userId')
        .select(['deviceLists.accountKey', 'payload', 'signature'])
        .where('deviceLists.userId', 'in', users)
        .where('role', 'in', rolesWith('organisation'))
        .execute();
      return { lists: rows };
    },
  });
}
