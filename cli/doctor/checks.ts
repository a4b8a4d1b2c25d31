import { createConnection } from "node:net";
import { z } from "zod";

import { openRules } from "../../functions/analysis/rules/loader.ts";
import { createLog } from "../../runtime/log.ts";
import { createMetrics } from "../../runtime/metrics.ts";
import { isRunning } from "../../runtime/postgres/embedded/occupants.ts";
import { packageRoot } from "../package.ts";
import { readDevInstance } from "../target.ts";

/** One thing that was looked at, and what to do about it when it is not well. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly fix?: string;
}

const neededNode = 24;
const standardPorts: Readonly<Record<string, number>> = {
  "amqp:": 5672,
  "amqps:": 5671,
  "postgres:": 5432,
  "postgresql:": 5432,
  "redis:": 6379,
  "rediss:": 6379,
};

export async function checkNode(version: string): Promise<Check> {
  const ok = Number(version.split(".")[0]) >= neededNode;
  const check = { name: "node", ok, detail: `${version} (needs ${neededNode} or later)` };
  return ok ? check : { ...check, fix: "npm ci, which brings one on Linux, or install a newer Node" };
}

/** A server named by a variable; a variable that is not set is well, and means what `otherwise` says. */
export async function checkReachable(
  name: string,
  url: string | undefined,
  otherwise: string,
): Promise<Check> {
  if (url === undefined || url === "") return { name, ok: true, detail: `not set: ${otherwise}` };
  if (!URL.canParse(url)) {
    return {
      name,
      ok: false,
      detail: "is not a URL",
      fix: `such as ${name === "AMQP_URL" ? "amqp" : "postgres"}://host:port/name`,
    };
  }
  const { hostname, port, protocol } = new URL(url);
  const number = Number(port) || (standardPorts[protocol] ?? 0);
  const problem = await connect(hostname.replace(/^\[|\]$/g, ""), number);
  if (problem === undefined) return { name, ok: true, detail: `${hostname}:${number} answers` };
  return {
    name,
    ok: false,
    detail: `${hostname}:${number}: ${problem}`,
    fix: "start the server, or unset the variable",
  };
}

export async function checkRules(directory: string = `${packageRoot}rules`): Promise<Check> {
  const log = createLog({ name: "doctor", level: "silent" });
  await using rules = await openRules({ directory, log, metrics: createMetrics("doctor") });
  const errors = rules.problems().filter(({ severity }) => severity === "error");
  const { rules: loaded, correlations } = rules.current();
  const detail = `${loaded.length + correlations.length} in force from ${directory}, ${errors.length} errors`;
  const ok = errors.length === 0 && loaded.length > 0;
  return ok ? { name: "rules", ok, detail } : { name: "rules", ok, detail, fix: "auditflow rules lint" };
}

/** Whether the pipeline noted in this folder is well; none running is fine. */
export async function checkRunning(): Promise<Check> {
  const instance = await readDevInstance();
  if (!instance) return { name: "running", ok: true, detail: "no pipeline runs in this folder" };
  const answers = await Promise.all(
    ["generator", "analysis", "notification"].map((name) => health(instance.url, name)),
  );
  const unwell = answers.flatMap((answer) => answer ?? []);
  if (unwell.length === 0) return { name: "running", ok: true, detail: `${instance.url} is well` };
  if (!isRunning(instance.pid)) {
    const detail = `the pipeline at ${instance.url} ended without stopping in order (process ${instance.pid} is gone)`;
    return { name: "running", ok: false, detail, fix: "`npm start`: what was accepted is kept" };
  }
  return {
    name: "running",
    ok: false,
    detail: `${instance.url}: ${unwell.join("; ")}`,
    fix: "see the log of `npm start`",
  };
}

async function health(base: string, name: string): Promise<string | undefined> {
  try {
    const response = await fetch(new URL(`/functions/${name}/healthz`, base), {
      signal: AbortSignal.timeout(5000),
    });
    const body = z.looseObject({ status: z.string() }).safeParse(await response.json());
    if (body.success && body.data.status === "ok") return undefined;
    return `${name} says ${body.success ? body.data.status : response.status}`;
  } catch {
    return `${name} does not answer`;
  }
}

function connect(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout: 3000 });
    const end = (problem?: string) => {
      socket.destroy();
      resolve(problem);
    };
    socket.once("connect", () => end());
    socket.once("timeout", () => end("no answer in 3 s"));
    socket.once("error", (error) => end(error.message));
  });
}
