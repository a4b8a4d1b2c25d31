import { spawnSync } from "node:child_process";

import { describe, expect, test } from "vitest";

import { auditRecorded } from "../events/contracts/audit-recorded.ts";
import { alertRaised } from "../events/contracts/alert-raised.ts";
import { targets } from "../functions/index.ts";
import { readSources, wiringProblems, type Wired } from "./support/wiring-check.ts";

const folder = new URL("../knative/base/", import.meta.url).pathname;
const sources = readSources(folder);
const functions = await Promise.all(Object.values(targets).map((load) => load()));
const kubectl = spawnSync("kubectl", ["version", "--client"]).status === 0;

/** The wiring with one text of one file replaced. */
function edited(file: string, from: string, to: string): Wired {
  const changed = sources.map((source) =>
    source.file === file ? { file, text: source.text.replace(from, to) } : source,
  );
  expect(changed).not.toEqual(sources);
  return { sources: changed, functions };
}

/** The wiring with one function that emits something else. */
function emitting(name: string, emits: Wired["functions"][number]["emits"]): Wired {
  return { sources, functions: functions.map((one) => (one.name === name ? { ...one, emits } : one)) };
}

describe("the manifests", () => {
  test("deploy the functions there are, send each what it accepts, and lose and loop nothing", () => {
    expect(functions.map(({ name }) => name)).toEqual(Object.keys(targets));
    expect(wiringProblems({ sources, functions })).toEqual([]);
  });

  test.skipIf(!kubectl)("are what kustomize takes", () => {
    const { status, stdout, stderr } = spawnSync("kubectl", ["kustomize", folder], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const documents = sources
      .filter(({ file }) => file !== "kustomization.yaml")
      .flatMap(({ text }) => [...text.matchAll(/^kind: /gm)]);
    expect([...stdout.matchAll(/^kind: /gm)]).toHaveLength(documents.length);
  });

  test("name no namespace", () => {
    expect(sources.filter(({ text }) => /^\s*namespace:/m.test(text))).toEqual([]);
  });
});

const analysis = "triggers/analysis.yaml";

describe("the check finds", () => {
  test.for([
    ["a type nobody sends", analysis, "audit.recorded.v1", "audit.recorded.v2", /analysis accepts/],
    ["a filter on more than the type", analysis, "type: io", "source: /x\n      type: io", /something else/],
    ["`filters`", analysis, "  filter:", "  filters: []\n  filter:", /ignores `filters`/],
    [
      "a subscriber nobody runs",
      analysis,
      "name: analysis\n  #",
      "name: analyses\n  #",
      /no Service 'analyses'/,
    ],
    ["a subscriber's path", analysis, "name: analysis\n  #", "name: analysis\n    uri: /x\n  #", /POST \//],
    ["no retry", analysis, "    retry: 8\n", "", /leaves retry/],
    ["no backoff policy", analysis, "    backoffPolicy: exponential\n", "", /leaves backoffPolicy/],
    ["no backoff delay", analysis, "    backoffDelay: PT0.2S\n", "", /leaves backoffDelayMs/],
    ["no timeout", analysis, "    timeout: PT25S\n", "", /leaves timeoutMs/],
    [
      "no dead letter sink",
      analysis,
      /    deadLetterSink:[^]*/.exec(textOf(analysis))?.[0] ?? "",
      "",
      /leaves deadLetterSink/,
    ],
    [
      "a dead letter sink nobody serves",
      analysis,
      "/dead-letters",
      "/dead",
      /no function takes dead letters/,
    ],
    ["no parallelism", analysis, `parallelism: "50"`, `other: "50"`, /parallelism 1/],
    ["retries beyond RabbitMQ's patience", analysis, "retry: 8", "retry: 12", /may hold an event/],
    [
      "a Service with another target",
      "services/analysis.yaml",
      "value: analysis",
      "value: x",
      /runs FUNCTION_TARGET x/,
    ],
    [
      "a Service too few",
      "services/dashboard.yaml",
      "kind: Service",
      "kind: Other",
      /Services analysis, gen/,
    ],
    [
      "a schedule for nobody",
      "sources/schedules.yaml",
      "name: generator\n",
      "name: nobody\n",
      /calls nobody/,
    ],
    [
      "an unbound emitter",
      "sources/sinks.yaml",
      "name: analysis\n  sink",
      "name: generator\n  sink",
      /analysis emits/,
    ],
    ["a file nobody applies", "kustomization.yaml", "  - broker.yaml\n", "", /broker\.yaml is not in/],
  ] as const)("%s", ([, file, from, to, problem]) => {
    expect(wiringProblems(edited(file, from, to)).join("\n")).toMatch(problem);
  });

  test("a function that answers its own Trigger", () => {
    expect(wiringProblems(emitting("analysis", [auditRecorded]))).toContain(
      "events of Trigger analysis come back to it",
    );
  });

  test("a loop over two functions", () => {
    const looped = emitting("notification", [auditRecorded]);
    expect(looped.functions.find(({ name }) => name === "analysis")?.emits).toContain(alertRaised);
    const problems = wiringProblems(looped);
    expect(problems).toContain("events of Trigger analysis come back to it");
    expect(problems).toContain("events of Trigger notification come back to it");
  });
});

function textOf(file: string): string {
  return sources.find((source) => source.file === file)?.text ?? "";
}
