import { stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";

export interface NoticeOptions {
  readonly onChange: () => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Notices when something under a path may have changed; more often than it did. A file is watched by the
 * folder it lies in, because it is replaced rather than written; of the folder, only that file and the
 * names behind which a mounted ConfigMap swaps its versions (`..data`). Says so once when it begins: what
 * happened before is missed by no one.
 */
export function noticeChanges(path: string, { onChange, onError }: NoticeOptions): AsyncDisposable {
  let isStopped = false;
  const watching = begin().catch((error: unknown) => {
    onError(error);
    return undefined;
  });
  return {
    async [Symbol.asyncDispose]() {
      isStopped = true;
      await (await watching)?.close();
    },
  };

  async function begin() {
    // Whoever routes without a file does without the watcher.
    const { watch } = await import("chokidar");
    const { target, ...options } = await scopeOf(path);
    if (isStopped) return undefined;
    const watcher = watch(target, { ...options, ignoreInitial: true, persistent: false });
    return watcher.on("all", onChange).on("ready", onChange).on("error", onError);
  }
}

async function scopeOf(path: string) {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => !/\.ya?ml$/.test(path),
  );
  const target = resolve(isFolder ? path : dirname(path));
  if (isFolder) return { target, depth: 1 };
  const name = basename(path);
  const ignored = (candidate: string) =>
    candidate !== target && basename(candidate) !== name && !basename(candidate).startsWith("..");
  return { target, ignored, depth: 1 };
}
