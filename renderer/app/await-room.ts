import { hasRoom } from '../crypto/disk-room.ts';

/** As much as the vault wants to see before it opens its databases again. */
const ROOM_BYTES = 16 << 20;
const FIRST_WAIT_MS = 2000;
const LONGEST_WAIT_MS = 30_000;

/**
 * Calls `then` once a disk that is full now has room again. Nothing happens where it is not full: another cause of failed
 * storage does not pass by itself, and starting again would find it again, without end.
 *
 * @returns ends the waiting
 */
export function awaitRoom(then: () => void, room: typeof hasRoom = hasRoom): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let over = false;
  const look = async (wait: number | null) => {
    const there = await room(ROOM_BYTES);
    if (over || (there && wait === null)) return;
    if (there) return then();
    const next = wait === null ? FIRST_WAIT_MS : Math.min(wait * 2, LONGEST_WAIT_MS);
    timer = setTimeout(() => void look(next), next);
  };
  void look(null);
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
