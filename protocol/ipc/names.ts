/**
 * The two Electron channels under the bridge and nothing else, so that the preload, which must stay small, does not
 * bundle the schemas.
 */
export const INVOKE_CHANNEL = 'teahouse:invoke';
export const EVENT_CHANNEL = 'teahouse:event';
