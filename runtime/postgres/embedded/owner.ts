import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, stat } from "node:fs/promises";

/** Whose processes and files the server's are. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Accounts that exist for such a purpose, in order of preference. */
const candidates = ["postgres", "_postgres", "nobody"];

/**
 * PostgreSQL refuses to run as root, so root starts it as somebody else: whoever owns the data already,
 * else an account made for it (the server wants an entry in the password file). `undefined` means as
 * ourselves.
 */
export async function chooseOwner(data: string): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const existing = await stat(data).catch(() => undefined);
  if (existing && existing.uid !== 0) return { uid: existing.uid, gid: existing.gid };
  const accounts = parsePasswd(await readFile("/etc/passwd", "utf8"));
  const found = candidates.map((name) => accounts.get(name)).find((account) => account !== undefined);
  return found ?? [...accounts.values()].find(({ uid }) => uid !== 0);
}

function parsePasswd(file: string): ReadonlyMap<string, Owner> {
  const lines = file.split("\n").map((line) => line.split(":"));
  return new Map(
    lines
      .filter((fields) => fields.length >= 4 && Number(fields[2]) > 0)
      .map(([name = "", , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }]),
  );
}

/**
 * Makes the folder of a store. The owner may pass through it, if not to it: what it holds has modes of its
 * own.
 */
export async function makeFolder(directory: string, owner: Owner | undefined): Promise<void> {
  await mkdir(directory, { recursive: true });
  if (!owner) return;
  const { mode } = await stat(directory);
  await chmod(directory, mode | 0o011);
}

/** Whether the owner may enter a folder; tried, because access lists cannot be told from the mode. */
export function canEnter(owner: Owner, folder: string): Promise<boolean> {
  return test(owner, 'cd "$0"', folder);
}

/** Whether the owner may run a program. */
export function canRun(owner: Owner, program: string): Promise<boolean> {
  return test(owner, 'test -r "$0" && test -x "$0"', program);
}

async function test({ uid, gid }: Owner, script: string, argument: string): Promise<boolean> {
  const child = spawn("/bin/sh", ["-c", script, argument], { uid, gid, cwd: "/", env: {}, stdio: "ignore" });
  const [code] = await once(child, "exit");
  return code === 0;
}
