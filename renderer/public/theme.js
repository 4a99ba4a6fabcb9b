// Runs before the first paint, so that a chosen scheme does not flash in the other one. The same key is read and
// written by modules/settings/preferences.svelte.ts.
try {
  const { theme } = JSON.parse(localStorage.getItem('teahouse.preferences') ?? '{}');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is refused or holds nonsense: the system's scheme it is.
}
