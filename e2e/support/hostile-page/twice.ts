/**
 * The same value, in which every list has its first entry twice, however deep it lies: in objects, in what functions
 * return and in what promises bring. So a list that is added to a view is drawn with a repeated entry by being there.
 */
export function twice<Value>(value: Value): Value {
  return doubled(value, new WeakMap()) as Value;
}

/** `known`: one object stays one object, as `$derived` and `{#each}` expect of what has not changed. */
function doubled(value: unknown, known: WeakMap<object, unknown>): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return value;
  if (value instanceof Promise) return value.then((brought) => doubled(brought, known));
  if (!isPlain(value)) return value;
  const before = known.get(value);
  if (before !== undefined) return before;
  const made = Array.isArray(value)
    ? [...value.slice(0, 1), ...value].map((entry) => doubled(entry, known))
    : wrapped(value, known);
  known.set(value, made);
  return made;
}

/** What belongs to the browser (a stream, a track) is handed on as it is. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || typeof value === 'function' || prototype === Object.prototype || prototype === null;
}

function wrapped(target: object, known: WeakMap<object, unknown>): object {
  return new Proxy(target, {
    get: (of, name) => doubled(Reflect.get(of, name), known),
    apply: (of, self, parameters) => doubled(Reflect.apply(of as () => unknown, self, parameters), known),
  });
}
