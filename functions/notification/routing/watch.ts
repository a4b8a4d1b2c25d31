import type { DependencyHandle } from "../../../runtime/health.ts";
import type { Log } from "../../../runtime/log.ts";
import type { RouteFile } from "./file/document.ts";
import type { LoadedRoutes } from "./file/load.ts";
import { noticeChanges } from "./file/notice.ts";
import type { RouteProblem } from "./file/problem.ts";
import { readRouteFiles } from "./file/read.ts";
import type { Routes } from "./routes.ts";

export interface WatchRoutesOptions {
  /** A file or a folder. */
  readonly path: string;
  readonly load: (files: readonly RouteFile[]) => LoadedRoutes;
  /** In force while no file was ever right. */
  readonly fallback: Routes;
  /**
   * Called with routes before they take force, with the first ones too. When it throws, they do not, and
   * those before stay.
   */
  readonly apply?: (routes: Routes) => void;
  readonly log: Log;
  /** Up while what is in force is what the files say. */
  readonly health?: DependencyHandle;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** What is in force, for people. */
export interface RoutesStatus {
  /** SHA-256 of the files, or `default`. */
  readonly hash: string;
  /** When it took force, epoch milliseconds. */
  readonly since: number;
  /** What was found wrong with the files as they are now; with an error they are not in force. */
  readonly problems: readonly RouteProblem[];
}

/** Routes that are kept up to date. */
export interface WatchedRoutes extends AsyncDisposable {
  /** The routes in force; ask once per batch. */
  current(): Routes;
  status(): RoutesStatus;
}

/** Editors and ConfigMap updates touch several files; they are read once nothing moved for this long. */
const quietMs = 100;
/** Some file systems tell nobody of changes, and a secret that was missing comes without one. */
const regularMs = 60_000;

/**
 * Reads routes and watches them. A change with an error is reported and leaves what was in force before as
 * it is. Files that are wrong from the start leave the fallback in force: people are told in another way
 * than was meant, rather than not at all. Never rejects because of what the files say.
 */
export async function watchRoutes(options: WatchRoutesOptions): Promise<WatchedRoutes> {
  const { path, fallback, log, now, apply } = options;
  let current = fallback;
  let since = now();
  let problems: readonly RouteProblem[] = [];
  let lastSeen: string | undefined;

  async function reload(): Promise<void> {
    const loaded = await readRoutes(options);
    const seen = JSON.stringify([loaded.routes?.hash, loaded.problems]);
    if (seen === lastSeen) return;
    lastSeen = seen;
    problems = loaded.problems;
    if (loaded.routes) tryApply(loaded.routes);
    report(options, problems, current);
  }

  function tryApply(routes: Routes): void {
    try {
      apply?.(routes);
      [current, since] = [routes, now()];
      log.info({ path, hash: current.hash }, "routes in force");
    } catch (error) {
      problems = [...problems, placeless(path, error)];
      // What it lacked may come without a change of the files.
      lastSeen = undefined;
    }
  }

  const step = createStep(reload);
  apply?.(fallback);
  await step.now();
  const noticing = noticeChanges(path, {
    onChange: () => step.soon(),
    onError: (error) => log.warn({ err: error, path }, "the routes cannot be watched"),
  });
  return {
    current: () => current,
    status: () => ({ hash: current.hash, since, problems }),
    async [Symbol.asyncDispose]() {
      await noticing[Symbol.asyncDispose]();
      await step.stop();
    },
  };
}

async function readRoutes({ path, load }: WatchRoutesOptions): Promise<LoadedRoutes> {
  try {
    return load(await readRouteFiles(path));
  } catch (error) {
    return { problems: [placeless(path, error)] };
  }
}

function placeless(file: string, error: unknown): RouteProblem {
  const message = error instanceof Error ? error.message : String(error);
  return { severity: "error", file, line: 1, column: 1, path: "", message };
}

function report(
  { log, health, path }: WatchRoutesOptions,
  problems: readonly RouteProblem[],
  { hash }: Routes,
): void {
  for (const { message, severity, ...place } of problems) {
    log[severity === "error" ? "error" : "warn"](place, message);
  }
  const errors = problems.filter(({ severity }) => severity === "error");
  const [first] = errors;
  if (!first) return health?.up();
  log.error({ path, hash }, "the routes have errors: what was in force before stays");
  health?.down(`${errors.length} errors in ${path}; the first: ${first.message}`);
}

/** Runs `work` once things are quiet and now and then, never twice at a time. */
function createStep(work: () => Promise<void>) {
  let quiet: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const run = () => (running = running.then(work));
  const regular = setInterval(() => void run(), regularMs).unref();
  return {
    now: run,
    soon() {
      clearTimeout(quiet);
      quiet = setTimeout(() => void run(), quietMs).unref();
    },
    async stop() {
      clearTimeout(quiet);
      clearInterval(regular);
      await running;
    },
  };
}
