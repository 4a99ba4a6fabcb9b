import type { LinkRequest, ListedDevice } from '../../../protocol/devices.ts';
import type { Vault } from '../../crypto/vault.ts';
import { LIMITS } from './limits.ts';
import type { LinkRequestView } from './model.ts';

/** Characters that would make the dialog's sentence read other than it is: controls and bidirectional overrides. */
const UNSEEN = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

interface Known {
  /** As it first came: what is shown, compared and signed. */
  readonly device: ListedDevice;
  readonly view: LinkRequestView;
}

/**
 * The requests to be linked, each known by its code. A request does not change: the same device id with other keys has
 * another code, so it is another request, and the one before it is withdrawn.
 */
export class LinkRequests {
  readonly #vault: Vault;
  readonly #known = new Map<string, Known>();
  /** The codes of those that the person has denied: not shown again, whatever the server lists. */
  readonly #denied = new Set<string>();

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  /** Those that have not ended, oldest first. */
  get open(): readonly LinkRequestView[] {
    return [...this.#known.values()].flatMap(({ view }) => (view.expiresAt > Date.now() ? [view] : []));
  }

  /** One that was made just now. */
  async add(request: LinkRequest): Promise<void> {
    const { expiresAt, ...asked } = request;
    const device = { ...asked, name: asked.name.replace(UNSEEN, '') || '?' };
    const code = await this.#vault.linkCode(device);
    if (this.#known.has(code) || this.#denied.has(code)) return;
    for (const [other, { view }] of this.#known) {
      if (view.deviceId === device.deviceId || view.expiresAt <= Date.now()) this.#known.delete(other);
    }
    if (this.#known.size >= LIMITS.openLinkRequests.value) return;
    const ends = Math.min(expiresAt, Date.now() + LIMITS.linkRequestTime.value);
    this.#known.set(code, { device, view: { deviceId: device.deviceId, name: device.name, code, expiresAt: ends } });
  }

  /** All that there are, by the server. */
  async replace(requests: readonly LinkRequest[]): Promise<void> {
    const codes = new Set(await Promise.all(requests.map((request) => this.#vault.linkCode(request))));
    for (const code of this.#known.keys()) if (!codes.has(code)) this.#known.delete(code);
    for (const request of requests) await this.add(request);
  }

  /** The device whose code is this; undefined if the request has ended. */
  find(code: string): ListedDevice | undefined {
    return this.#known.get(code)?.device;
  }

  remove(code: string): void {
    this.#known.delete(code);
  }

  deny(code: string): void {
    if (this.#known.delete(code)) this.#denied.add(code);
  }

  clear(): void {
    this.#known.clear();
    this.#denied.clear();
  }
}
