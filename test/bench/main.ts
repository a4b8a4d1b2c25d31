import { parseArgs } from "node:util";

import { format, type Report } from "./measure.ts";

/** Every benchmark by the name it is asked for; loaded when it runs. */
const benchmarks: Readonly<
  Record<string, () => Promise<{ readonly run: () => Promise<readonly Report[]> }>>
> = {
  codec: () => import("./codec.ts"),
  http: () => import("./http.ts"),
  coldstart: () => import("./coldstart.ts"),
  batch: () => import("./batch.ts"),
  window: () => import("./window.ts"),
  pack: () => import("./pack.ts"),
  endtoend: () => import("./endtoend.ts"),
  sigma: () => import("./sigma.ts"),
  alerts: () => import("./alerts.ts"),
  list: () => import("./list.ts"),
  status: () => import("./status.ts"),
  deliveries: () => import("./deliveries.ts"),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false } },
});
const unknown = positionals.filter((name) => !Object.hasOwn(benchmarks, name));
if (unknown.length > 0) {
  console.error(
    `Unknown benchmark ${unknown.join(", ")}: expected any of ${Object.keys(benchmarks).join(", ")}.`,
  );
  process.exit(2);
}

const reports: Report[] = [];
for (const [name, load] of Object.entries(benchmarks)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const { run } = await load();
  for (const report of await run()) {
    reports.push(report);
    if (!values.json) console.log(format(report));
  }
}
if (values.json) console.log(JSON.stringify({ node: process.versions.node, reports }, null, 2));
