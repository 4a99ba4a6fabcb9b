import type { MessageBoxOptions } from 'electron';

/** Which of the two buttons below does it. */
export const AGREED = 1;

/** Asks whether the app shall belong to another server than now. Cancelling is the default, by key and by click. */
export function confirmServerDialog(wanted: string, present: string | null): MessageBoxOptions {
  return {
    type: 'question',
    message: present === null ? `Connect Teahouse to ${wanted}?` : `Connect Teahouse to ${wanted} instead?`,
    detail:
      present === null
        ? 'An invitation names this server. Go on only if it is your organisation’s.'
        : `Teahouse on this computer belongs to ${present}. An invitation names another server. Go on only if you expected this.`,
    buttons: present === null ? ['Cancel', 'Connect'] : [`Stay with ${present}`, 'Connect instead'],
    defaultId: 0,
    cancelId: 0,
    noLink: true,
  };
}

/** Asks whether the app shall talk to the server it was started with, for this run, though it belongs to another. */
export function confirmRunDialog(wanted: string, present: string): MessageBoxOptions {
  return {
    type: 'question',
    message: `Use ${wanted} this time?`,
    detail: `Teahouse was started for this server, but on this computer it belongs to ${present}. Your account there is not touched, and nothing of it is shown or sent to the other server.`,
    buttons: [`Stay with ${present}`, 'Use it this time'],
    defaultId: 0,
    cancelId: 0,
    noLink: true,
  };
}

/** Says that the interface keeps failing. */
export function keepsFailingDialog(): MessageBoxOptions {
  return {
    type: 'error',
    message: 'Teahouse keeps failing',
    detail: 'Your messages are safe on this computer. Quit, or try once more.',
    buttons: ['Quit', 'Try again'],
    defaultId: 1,
    cancelId: 0,
    noLink: true,
  };
}
