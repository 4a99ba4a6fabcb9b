import * as wire from '../../../protocol/devices.ts';
import type { LinkRequest, ListedDevice } from '../../../protocol/devices.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { DeviceId, UserId } from '../../../protocol/ids.ts';
import type { ListChange, Vault } from '../../crypto/vault.ts';
import type { Connection } from '../../net/connection.ts';
import { retrying } from '../../net/retrying.ts';
import { isLinked } from '../../net/when-online.ts';
import type { DevicesController, LinkRequestView, OwnDevice } from './model.ts';

export interface DevicesDependencies {
  readonly connection: Connection;
  readonly vault: Vault;
}

/** Own devices: the verified list, requests to be linked, and the upkeep of this device's prekeys. */
export class Devices implements DevicesController {
  devices: readonly OwnDevice[] = $state.raw([]);
  linkRequests: readonly LinkRequestView[] = $state.raw([]);
  readonly #deps: DevicesDependencies;
  readonly #requested = new Map<DeviceId, LinkRequest>();
  #own: { readonly userId: UserId; readonly deviceId: DeviceId } | null = null;

  constructor(deps: DevicesDependencies) {
    this.#deps = deps;
    const { connection } = deps;
    connection.on(wire.linkRequested, ({ request }) => this.#showRequests([request]));
    connection.on(wire.prekeysLow, ({ remaining }) => this.#keepPrekeys(remaining));
    connection.on(wire.listChanged, ({ userId }) => (userId === this.#own?.userId ? this.#refresh() : undefined));
    connection.onResync(() => this.#resynchronise());
  }

  async load(own: { readonly userId: UserId; readonly deviceId: DeviceId }): Promise<void> {
    this.#own = own;
    await this.#show();
  }

  clear(): void {
    this.#own = null;
    this.#requested.clear();
    this.devices = [];
    this.linkRequests = [];
  }

  async approve(deviceId: DeviceId): Promise<void> {
    const request = this.#requested.get(deviceId);
    if (request === undefined) throw new ProtocolError('device_unknown', 'the request to be linked has expired');
    const { expiresAt: _expiresAt, ...device } = request;
    await this.#changeList(() => this.#deps.vault.changeOwnList({ add: { ...device, addedAt: Date.now() } }));
    this.#requested.delete(deviceId);
    await this.#showRequests([]);
  }

  async remove(deviceId: DeviceId): Promise<void> {
    await this.#changeList(() => this.#deps.vault.changeOwnList({ remove: deviceId }));
  }

  /** On the newest list; should another device have changed it in between, once more on the newer one. */
  async #changeList(sign: () => Promise<ListChange>): Promise<void> {
    const { connection } = this.#deps;
    for (let attempt = 1; ; attempt += 1) {
      await retrying(connection, () => this.#fetchOwn());
      const change = await sign();
      try {
        await retrying(connection, () => connection.request(wire.publishList, change));
        break;
      } catch (error) {
        if (!ProtocolError.is(error, 'device_list_outdated') || attempt > 1) throw error;
      }
    }
    await this.#refresh();
  }

  async #resynchronise(): Promise<void> {
    const { connection } = this.#deps;
    if (this.#own === null || !isLinked(connection)) return;
    await this.#refresh();
    const { requests } = await connection.request(wire.linkRequests, {});
    await this.#showRequests(requests);
    const { remaining } = await connection.request(wire.prekeyStatus, {});
    await this.#keepPrekeys(remaining);
  }

  async #refresh(): Promise<void> {
    await this.#fetchOwn();
    await this.#show();
  }

  async #fetchOwn(): Promise<void> {
    if (this.#own === null) return;
    const asked = [this.#own.userId];
    const { lists } = await this.#deps.connection.request(wire.lists, { users: asked });
    await this.#deps.vault.updateLists({ lists, asked });
  }

  async #show(): Promise<void> {
    const { devices } = await this.#deps.vault.ownDevices();
    this.devices = devices.map((device) => this.#view(device));
  }

  #view(device: ListedDevice): OwnDevice {
    const { deviceId, name, addedAt } = device;
    return { deviceId, name, addedAt, current: deviceId === this.#own?.deviceId };
  }

  /** Only a device that can sign the list has anything to decide. */
  async #showRequests(requests: readonly LinkRequest[]): Promise<void> {
    const { vault } = this.#deps;
    const { canSign } = await vault.ownDevices();
    if (!canSign) return;
    for (const request of requests) this.#requested.set(request.deviceId, request);
    const open = [...this.#requested.values()].filter((request) => request.expiresAt > Date.now());
    this.linkRequests = await Promise.all(
      open.map(async ({ expiresAt, ...device }) => {
        const { deviceId, name } = device;
        return { deviceId, name, code: await vault.linkCode(device), expiresAt };
      }),
    );
  }

  async #keepPrekeys(remaining: number): Promise<void> {
    const { connection, vault } = this.#deps;
    const publication = await vault.prekeysToPublish(remaining);
    if (publication === null) return;
    await connection.request(wire.publishPrekeys, publication);
    await vault.prekeysPublished(publication);
  }
}
