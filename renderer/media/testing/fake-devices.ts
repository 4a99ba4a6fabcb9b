/** A track as the code under test sees one. */
export class FakeTrack extends EventTarget {
  readonly kind: 'audio' | 'video';
  enabled = true;
  contentHint = '';
  readyState: MediaStreamTrackState = 'live';

  constructor(kind: 'audio' | 'video') {
    super();
    this.kind = kind;
  }

  stop(): void {
    this.readyState = 'ended';
  }

  /** As when the device is unplugged. */
  end(): void {
    this.readyState = 'ended';
    this.dispatchEvent(new Event('ended'));
  }

  get asTrack(): MediaStreamTrack {
    return this as unknown as MediaStreamTrack;
  }
}

export class FakeStream {
  readonly tracks: readonly FakeTrack[];
  constructor(tracks: readonly FakeTrack[]) {
    this.tracks = tracks;
  }
  getAudioTracks(): readonly FakeTrack[] {
    return this.tracks.filter(({ kind }) => kind === 'audio');
  }
  getVideoTracks(): readonly FakeTrack[] {
    return this.tracks.filter(({ kind }) => kind === 'video');
  }
}

/** The machine's devices. What `refuse` names rejects with an error of that name. */
export class FakeDevices extends EventTarget {
  readonly opened: FakeTrack[] = [];
  refuse: { audio?: string; video?: string; screen?: string } = {};
  list: MediaDeviceInfo[] = [];
  readonly constraints: MediaStreamConstraints[] = [];

  async getUserMedia(constraints: MediaStreamConstraints = {}): Promise<MediaStream> {
    this.constraints.push(constraints);
    await Promise.resolve();
    for (const kind of ['audio', 'video'] as const) {
      const refusal = this.refuse[kind];
      if (constraints[kind] && refusal !== undefined) throw new DOMException('refused', refusal);
    }
    return this.#open((['audio', 'video'] as const).filter((kind) => constraints[kind]));
  }

  async getDisplayMedia(): Promise<MediaStream> {
    await Promise.resolve();
    if (this.refuse.screen !== undefined) throw new DOMException('refused', this.refuse.screen);
    return this.#open(['video', 'audio']);
  }

  async enumerateDevices(): Promise<MediaDeviceInfo[]> {
    return this.list;
  }

  get live(): FakeTrack[] {
    return this.opened.filter(({ readyState }) => readyState === 'live');
  }

  #open(kinds: readonly ('audio' | 'video')[]): MediaStream {
    const tracks = kinds.map((kind) => new FakeTrack(kind));
    this.opened.push(...tracks);
    return new FakeStream(tracks) as unknown as MediaStream;
  }
}
