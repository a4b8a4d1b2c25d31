import { link, mkdir, readdir, readFile, rename, rm, unlink, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { EmbeddedPostgresError } from "./failure.ts";

/** A process, told apart from a later one with the same number. */
interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the kernel's own count; empty where that cannot be read. */
  readonly started: string;
}

/** Longer than a first start on a slow machine. */
const lockWaitMs = 90_000;
const pollMs = 20;

/**
 * Runs `work` while no other process does for the same folder. The lock dies with its process: one whose
 * process is gone is taken over.
 */
export async function locked<T>(folder: string, token: string, work: () => Promise<T>): Promise<T> {
  const path = join(folder, "lock");
  const mine = join(folder, `lock.${token}`);
  await writeFile(mine, JSON.stringify(identify(process.pid)), { mode: 0o600 });
  try {
    for (let waited = 0; !(await acquire(mine, path)); waited += pollMs) {
      if (waited > lockWaitMs)
        throw new EmbeddedPostgresError("EMBEDDED_FAILED", `${path} is held for too long.`);
      await wait(pollMs);
    }
    try {
      return await work();
    } finally {
      await rm(path, { force: true });
    }
  } finally {
    await rm(mine, { force: true });
  }
}

async function acquire(mine: string, path: string): Promise<boolean> {
  try {
    // A hard link appears with its content or not at all.
    await link(mine, path);
    return true;
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  }
  const held = await readFile(path, "utf8").catch(() => undefined);
  if (held !== undefined && !isAlive(held)) await breakLock(path, `${mine}.stale`, held);
  return false;
}

/** Removes a dead process's lock, and puts it back when somebody else had taken it over meanwhile. */
async function breakLock(path: string, aside: string, held: string): Promise<void> {
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  const moved = await readFile(aside, "utf8");
  if (moved !== held) await link(aside, path).catch(() => undefined);
  await unlink(aside);
}

/** Notes that this process uses the server of the folder; call under the lock. */
export async function enter(folder: string, token: string): Promise<void> {
  await mkdir(join(folder, "users"), { recursive: true });
  await writeFile(join(folder, "users", token), JSON.stringify(identify(process.pid)));
}

/** Takes the note back and tells whether nobody else uses the server any more; call under the lock. */
export async function leave(folder: string, token: string): Promise<boolean> {
  const users = join(folder, "users");
  await rm(join(users, token), { force: true });
  let left = 0;
  for (const name of await readdir(users)) {
    const path = join(users, name);
    const user = await readFile(path, "utf8").catch(() => "");
    if (isAlive(user)) left++;
    else await rm(path, { force: true });
  }
  return left === 0;
}

function identify(pid: number): ProcessIdentity {
  return { pid, started: startOf(pid) };
}

function isAlive(note: string): boolean {
  try {
    const { pid, started }: ProcessIdentity = JSON.parse(note);
    return isRunning(pid) && startOf(pid) === started;
  } catch {
    return false;
  }
}

/** Whether a process with this number runs, whoever owns it. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, "EPERM");
  }
}

function startOf(pid: number): string {
  if (process.platform !== "linux") return "";
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name in parentheses may contain anything; field 22 is the twentieth after it.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
