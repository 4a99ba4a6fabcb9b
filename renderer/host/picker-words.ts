/** What the picker of screens says. */
export const pickerWords = {
  title: 'Choose what to share',
  screens: 'Screens',
  windows: 'Windows',
  nothing: 'There is nothing to share. Allow Teahouse to record the screen in the settings of your system.',
  audio: 'Share the sound of this computer too',
  share: 'Share',
} as const;
