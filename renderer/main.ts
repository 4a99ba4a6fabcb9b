import { mount } from 'svelte';
import Root from './app/Root.svelte';
import { compose } from './app/compose.ts';
import { createBrowserHost } from './host/browser.ts';
import type { Host } from './host/host.ts';
import './ui/base.css';

const version = import.meta.env.TEAHOUSE_VERSION;

async function findHost(): Promise<Host> {
  const bridge = globalThis.teahouse;
  if (bridge === undefined) return createBrowserHost(version);
  const { createElectronHost } = await import('./host/electron.ts');
  return await createElectronHost(bridge);
}

const target = document.querySelector('#app');
if (target === null) throw new Error('index.html has no element with the id "app"');
mount(Root, { target, props: { host: await findHost(), compose, version } });
