/** The present time, renewed every `everyMs` while the component lives. Call during initialisation. */
export function clock(everyMs: number): { readonly value: number } {
  let value = $state(Date.now());
  $effect(() => {
    const timer = setInterval(() => (value = Date.now()), everyMs);
    return () => clearInterval(timer);
  });
  return {
    get value() {
      return value;
    },
  };
}
