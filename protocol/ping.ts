import { Nothing, query } from './method.ts';

/**
 * Asks for a sign of life and nothing else; no session is needed. A page cannot send the WebSocket's own pings and does
 * not see the server's, so this is how a client finds out that its line is dead.
 */
export const ping = query('ping', {}, Nothing);
