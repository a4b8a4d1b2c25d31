import type { Log } from "../../../runtime/log.ts";

export interface TextStreamOptions {
  readonly log: Log;
  /** Aborted when the process stops: the answer is cut off, which its reader can tell. */
  readonly stopping: AbortSignal;
}

/**
 * The texts of an iterable as a body, one asked for after the other as the reader takes them: the memory it
 * needs does not grow with the answer. A reader that goes away ends the iteration. The first text is made
 * before anything is answered, so that a database that is away is still told as such; a later failure cuts
 * the answer off, because its status has been sent.
 */
export async function toBody(
  texts: AsyncIterable<string>,
  { log, stopping }: TextStreamOptions,
): Promise<ReadableStream<Uint8Array>> {
  const iterator = texts[Symbol.asyncIterator]();
  let ahead: IteratorResult<string> | undefined = await iterator.next();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          stopping.throwIfAborted();
          const { done, value } = ahead ?? (await iterator.next());
          ahead = undefined;
          if (done === true) controller.close();
          else controller.enqueue(Buffer.from(value));
        } catch (error) {
          log.warn({ err: error }, "an export was cut off");
          controller.error(error);
          await iterator.return?.();
        }
      },
      cancel: async () => {
        await iterator.return?.();
      },
    },
    // Nothing is made before it is asked for.
    { highWaterMark: 0 },
  );
}
