/** One reader of a stream of server-sent events. */
export interface StreamClient {
  readonly body: ReadableStream<Uint8Array>;
  /** Takes some text; a reader that has not taken more than its buffer holds is cut off instead. */
  send(text: string): void;
  /** Resolves when the reader has taken most of what was sent, or is gone. */
  ready(): Promise<void>;
  /** Ends in order, after a last text. */
  end(text: string): void;
  /** Ends at once; the reader sees a broken connection. */
  cut(reason: Error): void;
}

export interface ClientOptions {
  readonly maxBytes: number;
  /** Called once, however it ended. */
  readonly onEnd: () => void;
  /** Called when the reader was too slow. */
  readonly onSlow: () => void;
}

/** Opens the body of an answer that goes on, with a bounded buffer. */
export function createStreamClient({ maxBytes, onEnd, onSlow }: ClientOptions): StreamClient {
  const { promise: ended, resolve: settle } = Promise.withResolvers<void>();
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let waiting: (() => void)[] = [];

  const body = new ReadableStream<Uint8Array>(
    {
      start: (opened) => void (controller = opened),
      pull: () => (hasRoom() ? release() : undefined),
      cancel: finish,
    },
    new ByteLengthQueuingStrategy({ highWaterMark: maxBytes }),
  );

  function hasRoom(): boolean {
    return (controller?.desiredSize ?? 0) > maxBytes / 2;
  }

  function release(): void {
    const released = waiting;
    waiting = [];
    for (const resolve of released) resolve();
  }

  function finish(): void {
    if (!controller) return;
    controller = undefined;
    settle();
    release();
    onEnd();
  }

  function cut(reason: Error): void {
    controller?.error(reason);
    finish();
  }

  return {
    body,
    send(text) {
      if (!controller || text === "") return;
      const bytes = Buffer.from(text);
      if (bytes.length <= (controller.desiredSize ?? 0)) return controller.enqueue(bytes);
      onSlow();
      return cut(new Error("The reader of the stream is too slow."));
    },
    ready() {
      if (!controller || hasRoom()) return Promise.resolve();
      return Promise.race([ended, new Promise<void>((resolve) => void waiting.push(resolve))]);
    },
    end(text) {
      if (text !== "") controller?.enqueue(Buffer.from(text));
      controller?.close();
      finish();
    },
    cut,
  };
}
