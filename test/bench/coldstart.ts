import { connect } from "node:net";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { once } from "node:events";

import { alertRaised } from "../../events/contracts/alert-raised.ts";
import { createEvent } from "../../events/envelope.ts";
import { buildPack } from "../../functions/analysis/rules/pack-build.ts";
import { encodeBinary } from "../../events/http.ts";
import { freePort } from "../support/port.ts";
import { dropKeys } from "../support/cleanup.ts";
import { redis } from "../support/servers.ts";
import { bundleFile, bundleFunction, snapshotFunction } from "./bundle.ts";
import { rawRequest } from "./load.ts";
import { type Aim, type Measured, median, type Report, toReport } from "./measure.ts";
import { cpuOf, endProcess, rssOf, spawnNode } from "./process.ts";
import { sampleEvent } from "./sample.ts";
import { openFolder, openStore } from "./store.ts";

const rounds = 7;
const bundledAim: Aim = { atMost: 3 };
const snapshotAim: Aim = { atMost: 2 };

/** One way to start one server. */
interface Start {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly request: Buffer;
  /** What the first answer must be. */
  readonly status: number;
  readonly aim?: Aim;
}

interface FunctionUnderTest {
  readonly name: string;
  readonly request: Buffer;
  readonly env: NodeJS.ProcessEnv;
  /** The first answer while nothing it depends on is there. */
  readonly alone: number;
  /** The first answer when everything is there. */
  readonly served: number;
}

/** Spawning a process until its first request is answered, against a bare `node:http` process. */
export async function run(): Promise<readonly Report[]> {
  await using open = new AsyncDisposableStack();
  const { path: folder } = open.use(await openFolder());
  const store = open.use(await openStore());
  const prefix = `auditflow-bench-${process.pid}:`;
  if (redis.reachable) open.defer(() => dropKeys(redis.url, prefix));
  const servers = {
    DATABASE_URL: store.url,
    ...(redis.reachable ? { REDIS_URL: redis.url, AUDITFLOW_REDIS_PREFIX: prefix } : {}),
  };
  const bare = await bundleFile("test/bench/servers/bare.ts", join(folder, "bare.cjs"));
  const baseline: Start = {
    name: "bare node:http, CommonJS",
    args: [bare.file],
    request: audit,
    status: 204,
  };
  // As an image carries them: a folder of rules would be compiled, and its cases run, at every start.
  const rules = { AUDITFLOW_RULES_DIR: join(folder, "rules.pack.json") };
  const { text = "" } = await buildPack("rules", "bench");
  await writeFile(rules.AUDITFLOW_RULES_DIR, text);
  const reports: Report[] = [];
  for (const subject of functions) {
    const env = { ...subject.env, ...rules };
    const starts = await startsOf({ ...subject, env }, folder, { ...env, ...servers });
    reports.push(await measure(subject.name, [baseline, ...starts]));
  }
  return reports;
}

const audit = requestOf(encodeBinary(sampleEvent));
const alert = requestOf(encodeBinary(createEvent(alertRaised, alertOf(alertRaised.examples[0]))));
const page = rawRequest({}, Buffer.alloc(0), { method: "GET" });

/** Nothing listens there: a function has to start without what it depends on. */
const closedDatabase = "postgres://bench@127.0.0.1:1/bench";
const database = { DATABASE_URL: closedDatabase };
const functions: readonly FunctionUnderTest[] = [
  { name: "generator", request: audit, env: database, alone: 503, served: 202 },
  { name: "analysis", request: audit, env: database, alone: 503, served: 204 },
  { name: "notification", request: alert, env: database, alone: 503, served: 204 },
  {
    name: "dashboard",
    request: page,
    env: { AUDITFLOW_NOTIFICATION_URL: "http://127.0.0.1:1" },
    alone: 200,
    served: 200,
  },
];

async function startsOf(
  { name, request, env, alone, served }: FunctionUnderTest,
  folder: string,
  servers: NodeJS.ProcessEnv,
): Promise<readonly Start[]> {
  const { file } = await bundleFunction(name, folder);
  const cache = { NODE_COMPILE_CACHE: join(folder, "cache") };
  const snapshot = await snapshotFunction(name, folder);
  const first = { request, status: alone };
  const starts: Start[] = [
    { ...first, name: "sources", args: ["functions/main.ts"], env: { ...env, FUNCTION_TARGET: name } },
    { ...first, name: "bundle", args: [file], env, aim: bundledAim },
    {
      ...first,
      name: "bundle, warm compile cache",
      args: [file],
      env: { ...env, ...cache },
      aim: bundledAim,
    },
  ];
  const fastest = "blob" in snapshot ? ["--snapshot-blob", snapshot.blob] : [file];
  if ("blob" in snapshot) starts.push({ ...first, name: "snapshot", args: fastest, env, aim: snapshotAim });
  else process.stderr.write(`no snapshot of ${name}: ${snapshot.reason}\n`);
  if (served === alone) return starts;
  const whole = { request, status: served };
  return [
    ...starts,
    {
      ...whole,
      name: "bundle, warm compile cache, first event handled",
      args: [file],
      env: { ...servers, ...cache },
    },
    {
      ...whole,
      name: `${"blob" in snapshot ? "snapshot" : "bundle"}, first event handled`,
      args: fastest,
      env: servers,
    },
  ];
}

interface Sample {
  readonly ms: number;
  /** Processor time of the process, in milliseconds. */
  readonly cpu: number;
  /** MiB. */
  readonly rss: number;
}

async function measure(title: string, starts: readonly Start[]): Promise<Report> {
  const measured = starts.map((start) => ({ start, samples: new Array<Sample>() }));
  // The first start of each fills the file system's cache and the compile cache.
  for (let round = -1; round < rounds; round += 1) {
    for (const { start, samples } of measured) {
      const sample = await firstAnswer(start, round < 0);
      if (round >= 0) samples.push(sample);
    }
  }
  return toReport(
    `Cold start of ${title}, spawn to first answer`,
    "ms",
    measured.map(({ start, samples }): Measured => {
      const of = (figure: (sample: Sample) => number) => median(samples.map(figure)).toFixed(0);
      const cost = `${of(({ cpu }) => cpu)} ms of processor time, ${of(({ rss }) => rss)} MiB`;
      return { name: start.name, aim: start.aim, note: cost, samples: samples.map(({ ms }) => ms) };
    }),
  );
}

/** Starts a process, asks until it answers, and ends it: in order when its caches are to be written. */
async function firstAnswer({ args, env, request, status, name }: Start, inOrder: boolean): Promise<Sample> {
  const port = await freePort();
  const started = performance.now();
  const child = spawnNode(args, port, env);
  try {
    for (;;) {
      const answer = await ask(port, request);
      const ms = performance.now() - started;
      const got = Number(answer.slice(9, 12));
      if (got === status) return { ms, cpu: cpuOf(child) / 1000, rss: rssOf(child) };
      // Up, and still connecting to what it depends on.
      const waits = got === 503 || answer === "";
      if (!waits) throw new Error(`${name} answered ${answer.slice(0, 1000)}`);
      if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
      if (ms > 20_000) throw new Error(`${name} gave no ${status} within 20 s`);
      await pause(1);
    }
  } finally {
    await endProcess(child, inOrder ? "SIGTERM" : "SIGKILL");
  }
}

/** The beginning of the answer; empty when nobody listens. */
async function ask(port: number, request: Buffer): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  try {
    await once(socket, "connect");
    socket.write(request);
    const [chunk]: Buffer[] = await once(socket, "data");
    return chunk?.toString("latin1") ?? "";
  } catch {
    return "";
  } finally {
    socket.destroy();
  }
}

function requestOf({ headers, body }: ReturnType<typeof encodeBinary>): Buffer {
  return rawRequest(headers, body);
}

function alertOf(example: unknown) {
  const { id, source, time = "" } = sampleEvent;
  const data = alertRaised.data.parse(example);
  return { id, source, time, data };
}
