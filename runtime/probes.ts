import type { DependencyStatus, Health } from "./health.ts";
import { type Log, logLevels, parseLogLevel } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Problem } from "./problem.ts";

export interface ProbesDeps {
  readonly name: string;
  readonly version: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly isDraining: () => boolean;
}

export interface ProbeAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** One path of the runtime's own: what each method answers. */
export type Probe = Readonly<
  Partial<Record<"GET" | "PUT", (body: Buffer) => ProbeAnswer | Promise<ProbeAnswer> | Problem>>
>;

/** The runtime's own paths, the same for every function. */
export function createProbes(deps: ProbesDeps): ReadonlyMap<string, Probe> {
  const { log, metrics, health, isDraining } = deps;
  return new Map<string, Probe>([
    // Answers while the event loop turns; a dependency that is away must not restart the process.
    ["/livez", { GET: () => json(200, { status: "ok" }) }],
    ["/readyz", { GET: () => readiness(health.statuses(), isDraining()) }],
    ["/healthz", { GET: () => json(200, describe(deps)) }],
    [
      "/metrics",
      {
        GET: async () => {
          for (const { name, up } of health.statuses())
            metrics.dependencyUp.set({ dependency: name }, up ? 1 : 0);
          return {
            status: 200,
            contentType: metrics.registry.contentType,
            body: await metrics.registry.metrics(),
          };
        },
      },
    ],
    ["/loglevel", { GET: () => json(200, { level: log.level }), PUT: (body) => setLevel(log, body) }],
  ]);
}

/** Nobody is asked: adapters report what they see, and this is the last they said. */
function readiness(statuses: readonly DependencyStatus[], draining: boolean): ProbeAnswer {
  const away = statuses.filter(({ up, required }) => required && !up).map(({ name }) => name);
  const ready = away.length === 0 && !draining;
  return json(ready ? 200 : 503, { status: draining ? "draining" : ready ? "ok" : "unavailable", away });
}

function describe({ name, version, health, isDraining }: ProbesDeps): unknown {
  const dependencies = health.statuses();
  const down = dependencies.filter(({ up }) => !up);
  return {
    status: isDraining() ? "draining" : down.length === 0 ? "ok" : "impaired",
    function: name,
    version,
    dependencies,
    impaired: [...new Set(down.flatMap(({ impairs }) => impairs))],
  };
}

/** `{"level":"debug"}` or the bare word. */
function setLevel(log: Log, body: Buffer): ProbeAnswer | Problem {
  const level = parseLogLevel(wordOf(body.toString("utf8")));
  if (level === undefined) return { status: 400, detail: `Expected one of ${logLevels.join(", ")}.` };
  const before = log.level;
  log.level = level;
  log.info({ before, level }, "log level changed");
  return json(200, { level });
}

function wordOf(text: string): string {
  if (!text.trimStart().startsWith("{")) return text;
  try {
    const value: unknown = JSON.parse(text);
    const level = typeof value === "object" && value !== null && "level" in value ? value.level : undefined;
    return typeof level === "string" ? level : "";
  } catch {
    return "";
  }
}

function json(status: number, value: unknown): ProbeAnswer {
  return { status, contentType: "application/json", body: JSON.stringify(value) };
}
