import type { WindowState } from './settings.ts';

/** The interface works from this width on, in device-independent pixels. */
export const MIN_WIDTH = 360;
export const MIN_HEIGHT = 480;
const DEFAULT_WIDTH = 1180;
const DEFAULT_HEIGHT = 780;
/** How much of the window's top edge must be on a screen for a person to get hold of it. */
const GRIP = 64;

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface WindowPlace {
  readonly width: number;
  readonly height: number;
  /** Absent: the system chooses. */
  readonly position: { readonly x: number; readonly y: number } | null;
  readonly maximised: boolean;
}

/**
 * Where a window opens: where it was, if the screen it was on is still there and it fits.
 * @param workAreas - Of all screens, without task bars; the main screen first.
 */
export function placeWindow(state: WindowState | null, workAreas: readonly Rectangle[]): WindowPlace {
  const area = workAreas.find((candidate) => state !== null && holdsGrip(state, candidate));
  const limit = area ?? workAreas[0] ?? { x: 0, y: 0, width: DEFAULT_WIDTH, height: DEFAULT_HEIGHT };
  const width = clamp(state?.width ?? DEFAULT_WIDTH, MIN_WIDTH, limit.width);
  const height = clamp(state?.height ?? DEFAULT_HEIGHT, MIN_HEIGHT, limit.height);
  const position = state && area ? { x: state.x, y: state.y } : null;
  return { width, height, position, maximised: state?.maximised ?? false };
}

/** Whether enough of the title bar is inside of the area. */
function holdsGrip(window: Rectangle, area: Rectangle): boolean {
  const overlap = Math.min(window.x + window.width, area.x + area.width) - Math.max(window.x, area.x);
  return overlap >= GRIP && window.y >= area.y && window.y <= area.y + area.height - GRIP;
}

/** The lower bound wins where the bounds cross: a screen may be smaller than the smallest window. */
function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(value, high));
}
