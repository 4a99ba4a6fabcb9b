import { flushSync, mount, unmount } from 'svelte';
import type { Component } from 'svelte';
import Stage from './Stage.svelte';
import { VIEW_NAMES, views, WHOLE_NAMES } from './views.ts';

/** One drawing that was not as it must be. */
interface Failure {
  readonly view: string;
  readonly values: string;
  readonly problem: string;
}

const problems: string[] = [];
addEventListener('error', (event) => problems.push(`thrown: ${event.message}`));
addEventListener('unhandledrejection', (event) => problems.push(`rejected: ${String(event.reason)}`));

const frame = () => new Promise((done) => requestAnimationFrame(done));

/** What is wider than a part of the page that scrolls, and so does not show in the width of the whole. */
function scrollsSideways(element: Element): boolean {
  return element.scrollWidth > element.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(element).overflowX);
}

async function pressed(target: HTMLElement, words: string): Promise<void> {
  const button = [...target.querySelectorAll('button')].find(({ textContent }) => textContent.trim() === words);
  if (button === undefined) throw new Error(`no button ${words}`);
  button.click();
  await frame();
  flushSync();
}

/** Draws one view with each of its values in turn. */
async function draw(name: string): Promise<{ readonly drawn: number; readonly failures: readonly Failure[] }> {
  const failures: Failure[] = [];
  let drawn = 0;
  for (const { component, props, values, fallbacks = 0, mended, toast = null, press, whole = false } of views(name)) {
    drawn += 1;
    problems.length = 0;
    const target = document.body.appendChild(document.createElement('div'));
    const fail = (problem: string) => failures.push({ view: name, values, problem });
    let stage;
    try {
      stage = mount(Stage, {
        target,
        props: { view: component as Component<Record<string, unknown>>, props, toast, whole },
      });
      flushSync();
      await frame();
      flushSync();
      if (press !== undefined) await pressed(target, press);
    } catch (error) {
      fail(`takes the page down: ${String(error)}`);
      target.remove();
      continue;
    }
    const shown = target.querySelectorAll('.contained').length;
    if (shown !== fallbacks) fail(`${shown} entries in place of which it says that they cannot be shown`);
    if (fallbacks === 0) for (const problem of problems) fail(problem);
    const box = target.querySelector('[data-stage]');
    if (box === null) fail('not there');
    else if (box.scrollWidth > box.clientWidth + 1) fail(`${box.scrollWidth} px wide in ${box.clientWidth}`);
    const outside = [...document.querySelectorAll('dialog, .toasts > *, [role=alertdialog]')].find(
      (element) => element.scrollWidth > innerWidth || element.getBoundingClientRect().right > innerWidth + 1,
    );
    if (outside !== undefined) fail(`wider than the window: ${outside.tagName} ${outside.className}`);
    const sideways = [...target.querySelectorAll('*')].find(scrollsSideways);
    if (sideways !== undefined) fail(`scrolls sideways: ${sideways.tagName} ${sideways.className}`);
    if (mended !== undefined) {
      stage.replace(mended);
      flushSync();
      const left = target.querySelectorAll('.contained').length;
      if (left > 0) fail(`${left} entries that could not be shown are not drawn when other data stands there`);
    }
    await unmount(stage);
    target.remove();
  }
  return { drawn, failures };
}

Object.assign(globalThis, { draw, viewNames: VIEW_NAMES, wholeNames: WHOLE_NAMES, drawnComponents: new Set<string>() });
