import { expect, test } from "vitest";

import { createBoundedLabel, createMetrics } from "./metrics.ts";
import { collectProcessMetrics } from "./process-metrics.ts";

test("every series names its function and has the prefix auditflow_", async () => {
  const metrics = createMetrics("analysis");
  metrics.eventsReceived.inc({ type: "x" });
  const series = (await metrics.registry.metrics())
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  expect(series.length).toBeGreaterThan(10);
  expect(series.filter((line) => !/^auditflow_[a-z_]+\{.*function="analysis".*\} /.test(line))).toEqual([]);
});

test("two functions in one process do not share a registry", async () => {
  const [one, two] = [createMetrics("one"), createMetrics("two")];
  one.eventsLate.inc();
  expect(await two.registry.metrics()).not.toContain('function="one"');
});

test("counters end in _total and durations are in seconds", async () => {
  const described = await createMetrics("x").registry.getMetricsAsJSON();
  for (const { name, type, help } of described) {
    expect(name.endsWith("_total")).toBe(String(type) === "counter");
    expect(help).toMatch(/\.$/);
  }
});

test("a label from outside takes the first values, then becomes other", () => {
  const label = createBoundedLabel(2);
  expect(["a", "b", "c", "a", "d"].map(label)).toEqual(["a", "b", "other", "a", "other"]);
});

test("the process tells of itself when it is asked", async () => {
  const metrics = createMetrics("x");
  collectProcessMetrics(metrics.registry);
  const text = await metrics.registry.metrics();
  for (const name of [
    "process_cpu_user_seconds_total",
    "process_resident_memory_bytes",
    "nodejs_heap_size_used_bytes",
  ]) {
    expect(Number(new RegExp(`^${name}\\{function="x"\\} (.*)$`, "m").exec(text)?.[1])).toBeGreaterThan(0);
  }
});
