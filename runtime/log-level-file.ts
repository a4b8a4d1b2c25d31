import { readFileSync } from "node:fs";

import { type Log, logLevels, parseLogLevel } from "./log.ts";

/**
 * Keeps the log's level at what the file says, from now on and whenever it changes, also when it is a
 * ConfigMap's and Kubernetes swaps the `..data` link under it. A file that is missing or says something
 * else leaves the level as it is.
 */
export async function watchLogLevel({
  file,
  log,
}: {
  readonly file: string;
  readonly log: Log;
}): Promise<AsyncDisposable> {
  const apply = () => {
    const text = readText(file);
    const level = text === undefined ? undefined : parseLogLevel(text);
    if (level === undefined) {
      if (text !== undefined) {
        log.warn(
          { file, found: text.slice(0, 40) },
          `log level file: expected one of ${logLevels.join(", ")}`,
        );
      }
      return;
    }
    if (level === log.level) return;
    const before = log.level;
    log.level = level;
    log.info({ before, level }, "log level changed");
  };
  apply();
  // Loaded only where it is used: few processes watch a file, and every one would start later.
  const { watch } = await import("chokidar");
  const watcher = watch(file, { ignoreInitial: true });
  watcher.on("all", apply);
  // What was written before the watch began is read now.
  watcher.on("ready", apply);
  watcher.on("error", (error) => log.warn({ err: error, file }, "log level file cannot be watched"));
  return { [Symbol.asyncDispose]: () => watcher.close() };
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
