/** The components of the interface that no view draws, each with its reason. */
export const NOT_DRAWN: Readonly<Record<string, string>> = {
  'renderer/app/Crash.svelte':
    'Words of our own; it reports the error that it is given, which every drawing must be free of.',
};
