import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { connect } from "../../test/support/database.ts";
import { type EmbeddedPostgres, openEmbeddedPostgres } from "./embedded.ts";
import { isRunning } from "./embedded/occupants.ts";
import { canEnter, chooseOwner } from "./embedded/owner.ts";

const isRoot = process.getuid?.() === 0;
const module = new URL("./embedded.ts", import.meta.url);

let directory: string;
let cleanup: AsyncDisposableStack;

beforeEach(async () => {
  cleanup = new AsyncDisposableStack();
  directory = await mkdtemp(join(tmpdir(), "auditflow-postgres-"));
  // Of a killed server some process may still write.
  cleanup.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
});
afterEach(() => cleanup.disposeAsync());

/** Opens it without forcing anything to disk, and closes it after the test. */
async function open(options: { readonly port?: number } = {}): Promise<EmbeddedPostgres> {
  return cleanup.use(await openEmbeddedPostgres({ directory, durable: false, ...options }));
}

async function query(url: string, text: string): Promise<readonly object[]> {
  const sql = connect(url);
  try {
    return await sql.unsafe(text);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly pid: number;
  readonly adopted: boolean;
}

/** Opens it in a process of its own, which disposes it when its input ends. */
async function openInProcess(
  options: { readonly uid?: number; readonly gid?: number } = {},
): Promise<Started> {
  const script = `
    import { openEmbeddedPostgres } from ${JSON.stringify(module.href)};
    const server = await openEmbeddedPostgres({ directory: process.argv[1], durable: false });
    console.log(JSON.stringify(server));
    for await (const _ of process.stdin);
    await server[Symbol.asyncDispose]();`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script, directory], {
    ...options,
    cwd: "/",
    stdio: ["pipe", "pipe", "inherit"],
  });
  cleanup.defer(async () => void child.kill("SIGKILL"));
  const [line] = await once(child.stdout.setEncoding("utf8"), "data");
  return { child, ...(JSON.parse(line as string) as Omit<Started, "child">) };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

const stopped = (pid: number) => vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: 10_000 });

describe("embedded PostgreSQL", () => {
  test("it starts, keeps what it was given over a restart, and is gone when disposed", async () => {
    const first = await openEmbeddedPostgres({ directory });
    expect(first.adopted).toBe(false);
    await query(first.url, "create table kept as select 1 as n");
    expect(await query(first.url, "show fsync")).toEqual([{ fsync: "on" }]);
    await first[Symbol.asyncDispose]();
    expect(isRunning(first.pid)).toBe(false);
    const second = await open();
    expect(await query(second.url, "select n from kept")).toEqual([{ n: 1 }]);
  });

  test("its text is UTF-8, sorted the same on every machine, its time is UTC", async () => {
    const { url } = await open();
    expect(
      await query(
        url,
        `select pg_encoding_to_char(encoding) as encoding, datlocprovider as provider, datlocale as locale,
           current_setting('timezone') as zone, upper('é') = 'É' as unicode
         from pg_database where datname = current_database()`,
      ),
    ).toEqual([{ encoding: "UTF8", provider: "b", locale: "C.UTF-8", zone: "UTC", unicode: true }]);
  });

  test("only who can read its password gets in, and only from this machine", async () => {
    const { url } = await open();
    for (const password of ["", "auditflow", "postgres"]) {
      const wrong = new URL(url);
      wrong.password = password;
      await expect(query(wrong.href, "select 1")).rejects.toThrow(/password/);
    }
    const { mode } = await stat(join(directory, "password"));
    expect(mode & 0o077).toBe(0);
    expect(await query(url, "show listen_addresses")).toEqual([{ listen_addresses: "127.0.0.1" }]);
    expect(await query(url, "show unix_socket_directories")).toEqual([{ unix_socket_directories: "" }]);
  });

  test("the wanted port is used, or another one when it is taken", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    const other = await openEmbeddedPostgres({ directory, port, durable: false });
    expect(other.port).not.toBe(port);
    expect(await query(other.url, "select 1 as n")).toEqual([{ n: 1 }]);
    await other[Symbol.asyncDispose]();
    taken.close();
    await once(taken, "close");
    expect((await open({ port })).port).toBe(port);
  });

  test("starts at once, in several processes, share one server; the last to leave stops it", async () => {
    const [own, also, child] = await Promise.all([open(), open(), openInProcess()]);
    expect(new Set([own.pid, also.pid, child.pid]).size).toBe(1);
    expect([own, also, child].filter(({ adopted }) => !adopted)).toHaveLength(1);
    await own[Symbol.asyncDispose]();
    await also[Symbol.asyncDispose]();
    expect(await query(child.url, "select 1 as n")).toEqual([{ n: 1 }]);
    child.child.stdin?.end();
    await ended(child.child);
    expect(isRunning(child.pid)).toBe(false);
  });

  test("a server whose parent was killed is adopted, and stopped by who adopted it", async () => {
    const orphaned = await openInProcess();
    await query(orphaned.url, "create table kept as select 1 as n");
    orphaned.child.kill("SIGKILL");
    await ended(orphaned.child);
    expect(isRunning(orphaned.pid)).toBe(true);
    const adopting = await openEmbeddedPostgres({ directory, durable: false });
    expect(adopting).toMatchObject({ adopted: true, pid: orphaned.pid, url: orphaned.url });
    expect(await query(adopting.url, "select n from kept")).toEqual([{ n: 1 }]);
    await adopting[Symbol.asyncDispose]();
    await stopped(orphaned.pid);
  });

  test("a process killed while it started holds up nobody", async () => {
    const { child } = await openInProcess();
    child.kill("SIGKILL");
    await ended(child);
    // As if it had died inside the lock: its note has the number and the start of a process that is gone.
    const left = JSON.stringify({ pid: child.pid, started: "1" });
    await writeFile(join(directory, "lock"), left);
    expect((await open()).adopted).toBe(true);
  });

  test("a server that no longer answers is replaced", async () => {
    const frozen = await openEmbeddedPostgres({ directory, durable: false });
    process.kill(frozen.pid, "SIGSTOP");
    const fresh = await open();
    expect(fresh).toMatchObject({ adopted: false });
    expect(fresh.pid).not.toBe(frozen.pid);
    await stopped(frozen.pid);
  });

  test("after kill -9 of the server itself, what was committed is there", async () => {
    const killed = await openEmbeddedPostgres({ directory });
    await query(killed.url, "create table kept as select 1 as n");
    process.kill(killed.pid, "SIGKILL");
    await stopped(killed.pid);
    const next = await open();
    expect(next.adopted).toBe(false);
    expect(await query(next.url, "select n from kept")).toEqual([{ n: 1 }]);
  });

  test("a note about a process that is something else by now is no obstacle", async () => {
    const first = await openEmbeddedPostgres({ directory, durable: false });
    const note = await readFile(join(directory, "data", "postmaster.pid"), "utf8");
    await first[Symbol.asyncDispose]();
    await writeFile(
      join(directory, "data", "postmaster.pid"),
      note.replace(String(first.pid), String(process.pid)),
    );
    expect((await open()).adopted).toBe(false);
  });

  test("a lost password is renewed, the data stays", async () => {
    const first = await openEmbeddedPostgres({ directory, durable: false });
    await query(first.url, "create table kept as select 1 as n");
    await first[Symbol.asyncDispose]();
    await rm(join(directory, "password"));
    const second = await open();
    expect(second.url.replace(/:\d+\//, "")).not.toBe(first.url.replace(/:\d+\//, ""));
    expect(await query(second.url, "select n from kept")).toEqual([{ n: 1 }]);
  });

  test("a half-finished directory is put aside", async () => {
    await mkdir(join(directory, "data", "base"), { recursive: true });
    await mkdir(join(directory, "data.new-killed"));
    const { url } = await open();
    expect(await query(url, "select 1 as n")).toEqual([{ n: 1 }]);
    const names = await readdir(directory);
    expect(names.filter((name) => name.startsWith("data"))).toEqual([
      "data",
      expect.stringMatching(/^data\.broken-/),
    ]);
  });

  test("data of another major version is left alone, and the message says what to do", async () => {
    await mkdir(join(directory, "data", "global"), { recursive: true });
    await writeFile(join(directory, "data", "PG_VERSION"), "9\n");
    await writeFile(join(directory, "data", "global", "pg_control"), "");
    await expect(open()).rejects.toMatchObject({
      code: "EMBEDDED_VERSION",
      message: expect.stringMatching(/written by PostgreSQL 9,.*DATABASE_URL/),
    });
    expect(await readFile(join(directory, "data", "PG_VERSION"), "utf8")).toBe("9\n");
  });

  test("a server that cannot start says why", async () => {
    const first = await openEmbeddedPostgres({ directory, durable: false });
    await first[Symbol.asyncDispose]();
    await writeFile(join(directory, "data", "postgresql.conf"), "no_such_setting = 1\n");
    await expect(open()).rejects.toMatchObject({
      code: "EMBEDDED_FAILED",
      message: expect.stringContaining("no_such_setting"),
    });
    expect(existsSync(join(directory, "lock"))).toBe(false);
  });
});

describe.skipIf(!isRoot)("embedded PostgreSQL of root", () => {
  test("it runs as somebody else, who owns its data", async () => {
    const { pid } = await open();
    const { uid } = await stat(join(directory, "data"));
    expect(uid).not.toBe(0);
    expect(await readFile(`/proc/${pid}/status`, "utf8")).toMatch(new RegExp(`^Uid:\\s+${uid}\\s`, "m"));
  });

  test("it also works below a folder where only root may go, and stays there", async () => {
    const store = join(directory, "store");
    const first = await openEmbeddedPostgres({ directory: store, durable: false });
    const owner = await chooseOwner(join(store, "data"));
    expect(owner && (await canEnter(owner, store))).toBe(false);
    await query(first.url, "create table kept as select 1 as n");
    await first[Symbol.asyncDispose]();
    const second = cleanup.use(await openEmbeddedPostgres({ directory: store, durable: false }));
    expect(await query(second.url, "select n from kept")).toEqual([{ n: 1 }]);
    expect(existsSync(join(store, "data", "PG_VERSION"))).toBe(true);
    await rm(join(store, "password"));
    process.kill(second.pid, "SIGKILL");
    await stopped(second.pid);
    const third = cleanup.use(await openEmbeddedPostgres({ directory: store, durable: false }));
    expect(await query(third.url, "select n from kept")).toEqual([{ n: 1 }]);
  });

  test("a store that a user made is continued as that user, and the user can have it back", async (context) => {
    const user = await chooseOwner(join(directory, "data"));
    const repository = new URL("../..", import.meta.url).pathname;
    if (!user || !(await canEnter(user, repository))) return context.skip("the user cannot read this folder");
    await chown(directory, user.uid, user.gid);
    const theirs = await openInProcess(user);
    await query(theirs.url, "create table kept as select 1 as n");
    expect((await stat(join(directory, "data"))).uid).toBe(user.uid);
    theirs.child.stdin?.end();
    await ended(theirs.child);
    const ours = await openEmbeddedPostgres({ directory, durable: false });
    expect(await query(ours.url, "select n from kept")).toEqual([{ n: 1 }]);
    await ours[Symbol.asyncDispose]();
    const again = await openInProcess(user);
    expect(await query(again.url, "select n from kept")).toEqual([{ n: 1 }]);
    again.child.stdin?.end();
    return ended(again.child);
  });
});
