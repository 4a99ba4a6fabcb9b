/**
 * Loaded before a program that a script starts in a process group of its own: should the script be killed and so end
 * without telling it, the program ends in its usual way instead of running on unseen.
 */
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
