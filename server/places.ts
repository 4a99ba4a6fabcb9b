export interface PlacesOptions {
  /** How many there are. */
  readonly total: number;
  /** How many of them one group may take, if that is bounded for this group. */
  readonly ofGroup: (group: string) => number;
}

/**
 * Places for connections that have not shown yet that they belong here. Where there are too many, the oldest of a group
 * goes: of the newcomer's own where that has its share already, else of the group that holds most. So whoever takes many
 * places pushes out their own. Every step takes the same time, however many there are.
 */
export class Places<T> {
  readonly #options: PlacesOptions;
  /** In the order of their arrival, or of what was heard of them last. */
  readonly #groupOf = new Map<T, string>();
  readonly #byGroup = new Map<string, Set<T>>();
  /** The groups that hold as many places as the index says; of equals, the one that has held them longest comes first. */
  readonly #bySize: Set<string>[] = [];

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#groupOf.size;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#groupOf.keys();
  }

  has(item: T): boolean {
    return this.#groupOf.has(item);
  }

  /** The group that somebody who is here counts for. */
  groupOf(item: T): string | undefined {
    return this.#groupOf.get(item);
  }

  /** Returns who has lost their place for it, to be sent away: somebody else, or null. */
  enter(item: T, group: string): T | null {
    if (this.#groupOf.has(item)) return null;
    const members = this.#byGroup.get(group) ?? new Set<T>();
    this.#byGroup.set(group, members.add(item));
    this.#groupOf.set(item, group);
    this.#moved(group, members.size - 1, members.size);
    if (members.size > this.#options.ofGroup(group)) return this.#takeOldest(members);
    if (this.#groupOf.size > this.#options.total) return this.#takeOldest(this.#largest());
    return null;
  }

  /** As if it had come just now. */
  renew(item: T): void {
    const group = this.#groupOf.get(item);
    if (group === undefined) return;
    this.#groupOf.delete(item);
    this.#groupOf.set(item, group);
    const members = this.#byGroup.get(group);
    members?.delete(item);
    members?.add(item);
  }

  leave(item: T): void {
    const group = this.#groupOf.get(item);
    if (group === undefined) return;
    this.#groupOf.delete(item);
    const members = this.#byGroup.get(group);
    if (!members) return;
    members.delete(item);
    this.#moved(group, members.size + 1, members.size);
    if (members.size === 0) this.#byGroup.delete(group);
  }

  #takeOldest(members: Iterable<T>): T | null {
    for (const oldest of members) {
      this.leave(oldest);
      return oldest;
    }
    return null;
  }

  #largest(): Iterable<T> {
    for (const group of this.#bySize.at(-1) ?? []) return this.#byGroup.get(group) ?? [];
    return [];
  }

  #moved(group: string, from: number, to: number): void {
    this.#bySize[from]?.delete(group);
    if (to > 0) (this.#bySize[to] ??= new Set()).add(group);
    while (this.#bySize.length > 0 && !this.#bySize.at(-1)?.size) this.#bySize.pop();
  }
}
