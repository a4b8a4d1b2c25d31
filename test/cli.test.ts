import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { once } from "node:events";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";

import { runCommand } from "./support/command.ts";

const entry = fileURLToPath(new URL("../cli/auditflow.js", import.meta.url));
const stage = z.looseObject({
  stage: z.string().optional(),
  ready: z.boolean().optional(),
  url: z.string().optional(),
});

/** `auditflow dev` in a folder of its own. */
interface Dev extends AsyncDisposable {
  readonly url: string;
  readonly folder: string;
  readonly child: ChildProcess;
  readonly stages: readonly string[];
}

interface DevPlace {
  readonly folder?: string;
  readonly env?: NodeJS.ProcessEnv;
}

async function startDev(args: readonly string[] = [], { folder, env }: DevPlace = {}): Promise<Dev> {
  const cwd = folder ?? (await mkdtemp(join(tmpdir(), "auditflow-dev-")));
  const child = spawn(process.execPath, [entry, "dev", "--port", "0", "--json", ...args], {
    cwd,
    env: { PATH: process.env["PATH"], LOG_LEVEL: "error", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const stages: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const said = stage.parse(JSON.parse(line));
    if (said.stage !== undefined) stages.push(said.stage);
    if (said.ready) {
      return {
        url: said.url ?? "",
        folder: cwd,
        child,
        stages,
        [Symbol.asyncDispose]: () => endDev(child, cwd),
      };
    }
  }
  throw new Error(`auditflow dev ended with ${child.exitCode} before it was ready`);
}

async function endDev(child: ChildProcess, folder: string): Promise<void> {
  await interrupt(child);
  await rm(folder, { recursive: true, force: true });
}

async function interrupt(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode;
  const ended = once(child, "exit");
  child.kill("SIGINT");
  await ended;
  return child.exitCode;
}

test("dev runs the whole pipeline, emit feeds it, tail shows the alert, doctor finds it well", async () => {
  await using dev = await startDev(["--no-demo"]);
  expect(dev.stages).toEqual(["store", "broker", "functions"]);
  const target = ["--target", dev.url];

  const tail = runCommand(["tail", "--existing", "--json", "--count", "1", ...target]);
  const fields = [
    "-f",
    "user_id=deploy",
    "-f",
    "details.resource=/etc/shadow",
    "-f",
    "action_result=MODIFIED",
  ];
  const emitted = await runCommand(["emit", "file_modified", ...fields, ...target]);
  expect(emitted).toMatchObject({ exitCode: 0, err: [`sent 1: 1 accepted, 0 refused  →  ${dev.url}`] });
  const [line = "{}"] = (await tail).out;
  expect(JSON.parse(line)).toMatchObject({
    rule_id: "ANLY-SEC-002",
    actor_id: "deploy",
    resource_id: "/etc/shadow",
  });

  const page = await fetch(dev.url);
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(await page.text()).toContain("<title>Alerts · AuditFlow</title>");
  expect((await fetch(`${dev.url}/functions/analysis/healthz`)).status).toBe(200);
  expect(await interrupt(dev.child)).toBe(0);
});

test("what was accepted before a kill -9 becomes an alert after the next start", async () => {
  const first = await startDev(["--no-demo"]);
  const sent = await runCommand([
    "emit",
    "file_modified",
    "-f",
    "resource=/etc/passwd",
    "--target",
    first.url,
  ]);
  expect(sent.exitCode).toBe(0);
  const gone = once(first.child, "exit");
  first.child.kill("SIGKILL");
  await gone;
  const doctor = spawn(process.execPath, [entry, "doctor"], { cwd: first.folder, stdio: "pipe" });
  expect(await text(doctor.stdout)).toContain(`process ${first.child.pid} is gone`);

  await using second = await startDev(["--no-demo"], {
    folder: first.folder,
    env: { AUDITFLOW_RECONCILE_AFTER: "1ms" },
  });
  await vi.waitFor(
    async () => {
      await fetch(`${second.url}/functions/analysis/reconcile`, { method: "POST" });
      const alerts = await (await fetch(`${second.url}/alerts`)).json();
      expect(alerts).toEqual([expect.objectContaining({ rule_id: "ANLY-SEC-002", count: 1 })]);
    },
    { timeout: 30_000, interval: 200 },
  );
});

test("a second pipeline in the same folder is refused, and the first one lives on", async () => {
  await using first = await startDev(["--no-demo"]);
  const second = spawn(process.execPath, [entry, "dev", "--port", "0"], {
    cwd: first.folder,
    env: { PATH: process.env["PATH"] },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [said, [exitCode]] = await Promise.all([text(second.stderr), once(second, "exit")]);
  expect(said).toContain(`AuditFlow runs in this folder already: ${first.url}`);
  expect(exitCode).toBe(2);
  const noted = await readFile(join(first.folder, ".auditflow", "dev.json"), "utf8");
  expect(JSON.parse(noted)).toEqual({ url: first.url, pid: first.child.pid });
  expect((await fetch(`${first.url}/functions/analysis/readyz`)).status).toBe(200);
});

test("the note of a pipeline that was killed does not keep the next one from starting", async () => {
  const folder = await mkdtemp(join(tmpdir(), "auditflow-dev-"));
  await mkdir(join(folder, ".auditflow"));
  // The number of a process that runs, at an address where nothing answers: it is not the pipeline's.
  const note = { url: "http://localhost:1", pid: process.ppid };
  await writeFile(join(folder, ".auditflow", "dev.json"), JSON.stringify(note));
  await using dev = await startDev(["--no-demo"], { folder });
  expect((await fetch(`${dev.url}/livez`)).status).toBe(200);
});

test("whatever the request target, the gateway asks only its own functions and lives on", async () => {
  await using stranger = await startStranger();
  await using dev = await startDev(["--no-demo"]);
  const targets = [
    ["//", 404],
    [`//127.0.0.1:${stranger.port}/`, 404],
    [`http://127.0.0.1:${stranger.port}/livez`, 200],
    ["http://[", 400],
    ["*", 400],
    ["/a\tb", 400],
    ["/functions/nobody/healthz", 404],
    ["/functions/constructor/healthz", 404],
  ] as const;
  for (const [target, status] of targets) {
    expect([target, await statusOf(dev.url, target)]).toEqual([target, status]);
  }
  expect(stranger.asked()).toBe(0);
  expect((await fetch(`${dev.url}/livez`)).status).toBe(200);
});

/** A server that is no part of the pipeline. */
async function startStranger() {
  let asked = 0;
  const server = createServer((socket) => {
    asked += 1;
    socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : 0,
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, "close");
    },
  };
}

/** The status of a GET with exactly this target, which `fetch` would rewrite. */
async function statusOf(url: string, target: string): Promise<number> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  return Number(/^HTTP\/1\.1 (\d+)/.exec(await text(socket))?.[1]);
}

test("a request under a foreign host name is refused", async () => {
  await using dev = await startDev(["--no-demo"]);
  const { port } = new URL(dev.url);
  const request = get({ port, host: "127.0.0.1", headers: { host: "evil.example" } });
  const [response] = await once(request, "response");
  response.resume();
  expect(response.statusCode).toBe(421);
});

describe("mistakes end with a message and their exit code", () => {
  test.for([
    [["emit"], 2, "Nothing to send"],
    [["emit", "--rate", "fast", "x"], 2, '--rate "fast" is not a number of events a second'],
    [["emit", "user_login", "-f", "user_id"], 2, '--field "user_id" is not name=value'],
    [["emit", "--data", "{", "--target", "http://127.0.0.1:1"], 2, "--data is not JSON"],
    [["emit", "--file", "/nowhere.ndjson", "--target", "http://127.0.0.1:1"], 2, "--file /nowhere.ndjson"],
    [["emit", "user_login", "--target", "http://127.0.0.1:1"], 4, "http://127.0.0.1:1 cannot be reached"],
    [["tail", "--target", "ftp://x"], 2, '--target "ftp://x" is not an address'],
    [["dev", "--port", "70000"], 2, '--port "70000" is not a port'],
    [["dev", "--rate", "fast"], 2, '--rate "fast" is not a number of events a second'],
    [["rules", "test", "/nowhere"], 2, '"/nowhere" is not a folder of rules'],
    [["emti"], 2, "Did you mean emit?"],
    [[], 2, "Usage: auditflow"],
  ] as const)("auditflow %j", async ([argv, exitCode, message]) => {
    const result = await runCommand(argv);
    expect(result.err.join("\n")).toContain(message);
    expect(result.exitCode).toBe(exitCode);
  });

  test("a port that was asked for and is taken is an error, and says what to do", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = typeof address === "object" && address ? String(address.port) : "";
    const result = await runCommand(["dev", "--port", port]);
    taken.close();
    expect(result).toMatchObject({ exitCode: 2 });
    expect(result.err.join("\n")).toContain(`Port ${port} is in use`);
  });

  test("every wrong setting is reported at once and nothing is started", async () => {
    const result = await runCommand(["dev"], {
      env: { DATABASE_URL: "not-a-url", LOG_LEVEL: "verbose", AUDITFLOW_LATENESS: "soon" },
    });
    expect(result.exitCode).toBe(2);
    expect(result.err.join("\n")).toMatch(/DATABASE_URL[\s\S]*AUDITFLOW_LATENESS[\s\S]*LOG_LEVEL/);
  });

  test("lines of sshd are known by their shape, and a dry run ends with 3 when a line is unreadable", async () => {
    const line = "Nov 21 12:00:00 edge-1 sshd[7]: Failed password for root from 203.0.113.7 port 4242 ssh2";
    const good = await runCommand(["emit", "-", "--dry-run"], { stdin: line });
    expect(good).toMatchObject({ exitCode: 0, out: [expect.stringContaining("/sources/sshd")] });
    const bad = await runCommand(["emit", "-", "--dry-run"], { stdin: "neither\n" });
    expect(bad).toMatchObject({ exitCode: 3, out: [], err: [expect.stringMatching(/^line 1: refused/)] });
  });

  test("lines that are refused are told with their number, and the others go through", async () => {
    await using dev = await startDev(["--no-demo"]);
    const lines = [
      '{"event_type":"user_login","user_id":"ana"}',
      "not json",
      '{"user_id":"no type"}',
      '{"event_type":5}',
    ];
    const result = await runCommand(["emit", "-", "--target", dev.url], { stdin: lines.join("\n") });
    expect(result.exitCode).toBe(3);
    expect(result.err.filter((line) => line.startsWith("line "))).toEqual([
      expect.stringMatching(/^line 2: refused/),
      expect.stringMatching(/^line 3: refused/),
      expect.stringMatching(/^line 4: refused/),
    ]);
    expect(result.err.at(-1)).toContain("sent 4: 1 accepted, 3 refused");
  });
});

test("rules lint names file, line and column of a mistake", async () => {
  const folder = await mkdtemp(join(tmpdir(), "auditflow-rules-"));
  await writeFile(
    join(folder, "broken.yml"),
    "title: x\nlogsource: { product: auditflow }\ndetection:\n  a: { b: c }\n  condition: a and nothing\n",
  );
  const result = await runCommand(["rules", "lint", folder]);
  await rm(folder, { recursive: true });
  expect(result.exitCode).toBe(3);
  expect(result.out.join("\n")).toMatch(/^broken\.yml:5:\d+ {2}error/m);
});
