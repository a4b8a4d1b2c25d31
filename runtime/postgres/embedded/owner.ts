import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Whose processes and files the server's are. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Accounts that exist for such a purpose, in order of preference. */
const candidates = ["postgres", "_postgres", "nobody"];

/** Where root keeps a store whose directory nobody else may enter. */
const elsewhere = "/var/lib/auditflow";

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
 * A folder below which the owner can keep its files: the wanted one, or, when that lies where only root
 * may go (a project under `/root`), one of its own under `/var/lib`, remembered in the wanted one.
 */
export async function chooseHome(
  directory: string,
  owner: Owner | undefined,
  token: string,
): Promise<string> {
  await mkdir(directory, { recursive: true });
  const note = join(directory, "location");
  const noted = await readFile(note, "utf8").catch(() => undefined);
  if (noted !== undefined) return noted.trim();
  if (!owner || (await canEnter(owner, directory)) || (await openUp(owner, directory))) return directory;
  const home = join(elsewhere, `postgres-${token}`);
  await mkdir(home, { recursive: true, mode: 0o755 });
  await writeFile(note, `${home}\n`);
  return home;
}

/**
 * Lets the owner pass through the folder, when only the folder itself is in the way: what it holds has
 * modes of its own.
 */
async function openUp(owner: Owner, directory: string): Promise<boolean> {
  if (!(await canEnter(owner, dirname(directory)))) return false;
  const { mode } = await stat(directory);
  await chmod(directory, mode | 0o011);
  return canEnter(owner, directory);
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
