import { stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";

/** Called whenever something under a path may have changed; more often than it did. */
export interface RulesWatch {
  readonly onChange: () => void;
  readonly onError: (error: unknown) => void;
}

/** How long after the start watching begins; whoever waits for a first answer waits for it without. */
const delayMs = 250;

/**
 * Watches a folder with everything below it, or one file through the folder it lies in, for as long as it
 * is not disposed. It begins a moment later and then says once that something may have changed: what
 * happened before is missed by no one.
 */
export function watchRules(path: string, { onChange, onError }: RulesWatch): AsyncDisposable {
  let stopped = false;
  let watching: Promise<AsyncDisposable | undefined> = Promise.resolve(undefined);
  const timer = setTimeout(() => {
    watching = begin().catch((error: unknown) => {
      onError(error);
      return undefined;
    });
  }, delayMs).unref();
  return {
    async [Symbol.asyncDispose]() {
      stopped = true;
      clearTimeout(timer);
      await (await watching)?.[Symbol.asyncDispose]();
    },
  };

  async function begin(): Promise<AsyncDisposable | undefined> {
    const { watch } = await import("chokidar");
    const { target, ...options } = await scopeOf(path);
    if (stopped) return undefined;
    const watcher = watch(target, { ...options, ignoreInitial: true, persistent: false });
    watcher.on("all", onChange).on("ready", onChange).on("error", onError);
    return { [Symbol.asyncDispose]: () => watcher.close() };
  }
}

/**
 * A file is watched by its folder, because it is replaced rather than written; of the folder, only that
 * file, and the names behind which a mounted ConfigMap swaps its versions (`..data`).
 */
async function scopeOf(path: string) {
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    () => path.endsWith(".json"),
  );
  if (!isFile) return { target: path };
  const target = resolve(dirname(path));
  const name = basename(path);
  const ignored = (candidate: string) =>
    candidate !== target && basename(candidate) !== name && !basename(candidate).startsWith("..");
  return { target, ignored, depth: 1 };
}
