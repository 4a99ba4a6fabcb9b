/**
 * Node's own globals, with modules transformed as for a browser: Svelte's runes for server rendering never run an
 * effect, so a controller tested with them would be another controller.
 *
 * @type {import('vitest/runtime').Environment}
 */
const environment = {
  name: 'node-with-browser-modules',
  viteEnvironment: 'client',
  setup: () => ({ teardown: () => {} }),
};

export default environment;
