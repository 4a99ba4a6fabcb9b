/**
 * A list for a keyed `{#each}`, which throws when two entries have one key, and takes the page with it: a server, a
 * colleague or a damaged database may name a thing twice. Of entries with one key the first stays. The list itself is
 * returned if there are none.
 *
 * @param keyOf what the `{#each}` has in its brackets
 */
export function unique<Entry>(list: readonly Entry[], keyOf: (entry: Entry) => unknown): readonly Entry[] {
  const seen = new Set<unknown>();
  const firsts = list.filter((entry) => {
    const before = seen.size;
    return seen.add(keyOf(entry)).size > before;
  });
  return firsts.length === list.length ? list : firsts;
}
