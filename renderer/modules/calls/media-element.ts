import type { Attachment } from 'svelte/attachments';

/** Plays a stream in a media element; null shows and sounds nothing. `onblocked`: the browser wants a click first. */
export function plays(stream: MediaStream | null, onblocked: () => void = () => {}): Attachment<HTMLMediaElement> {
  return (element) => {
    element.srcObject = stream;
    if (stream === null) return;
    element.play().catch((error: unknown) => {
      // Taking the stream away before it played rejects too (AbortError) and means nothing.
      if (error instanceof DOMException && error.name === 'NotAllowedError') onblocked();
    });
    return () => {
      element.srcObject = null;
    };
  };
}

/** Sends the sound to a loudspeaker of the person's choice; empty is the system's. */
export function soundsFrom(deviceId: string): Attachment<HTMLMediaElement> {
  return (element) => {
    // Not in every browser; and a loudspeaker that was unplugged leaves the sound where it is.
    if ('setSinkId' in element) element.setSinkId(deviceId).catch(() => {});
  };
}
