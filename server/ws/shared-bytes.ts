/** Characters from which the bytes of a text are made once for all who get it, and go out beside their own. */
const LONG = 2048;

/** How the frame of an event begins. Bytes are referred to by every connection that it waits for, and copied for none. */
export type FrameHead = string | Buffer;

/** Makes the first half of frames. Those who get the same event come one after another. */
export class SharedBytes {
  #of: { readonly event: string; readonly shared: string; readonly head: FrameHead } | null = null;

  of(event: string, shared: string): FrameHead {
    if (this.#of?.shared === shared && this.#of.event === event) return this.#of.head;
    const text = `{"event":${JSON.stringify(event)},"params":${shared}`;
    const head = text.length < LONG ? text : Buffer.from(text);
    this.#of = { event, shared, head };
    return head;
  }
}
