import { z } from "@hono/zod-openapi";

import type { AlertSummary } from "../../alert-view.ts";
import { csvHeader, toCsvLine } from "../csv.ts";
import { operation } from "../operation.ts";
import { loadProjection } from "../projection.ts";
import { selectionParameters, toSelection } from "../selection.ts";
import { toBody } from "../text-stream.ts";
import { sort } from "./alerts.ts";

const ndjson = "application/x-ndjson";

export const exportAlerts = operation({
  id: "exportAlerts",
  method: "get",
  path: "/alerts/export",
  tag: "alerts",
  summary: "Export alerts",
  description:
    "Every alert that matches, however many, streamed: one JSON document a line, or CSV. An answer that was cut off ends without its last chunk, which HTTP clients report.",
  scope: "viewer",
  query: z.strictObject({
    ...selectionParameters,
    sort,
    format: z.enum(["ndjson", "csv", "ocsf", "ecs"]).default("ndjson").openapi({
      description: "As lists show them, as CSV, as OCSF Detection Findings, or in the Elastic Common Schema.",
    }),
  }),
  answers: {
    200: {
      description: "The alerts",
      content: { [ndjson]: { schema: z.string() }, "text/csv": { schema: z.string() } },
    },
  },
  problems: ["invalid-query"],
  async handle({ query }, { alerts, now, log, stopping }) {
    const request = { ...toSelection(query, now()), sort: query.sort };
    const { format } = query;
    const type = format === "csv" ? "text/csv; charset=utf-8; header=present" : ndjson;
    const texts =
      format === "csv"
        ? toCsv(alerts.rows(request))
        : format === "ndjson"
          ? toLines(alerts.rows(request), (alert) => alert)
          : toLines(alerts.details(request), await loadProjection(format));
    const extension = format === "csv" ? "csv" : "ndjson";
    return new Response(await toBody(texts, { log, stopping }), {
      headers: {
        "content-type": type,
        "content-disposition": `attachment; filename="alerts.${extension}"`,
      },
    });
  },
});

async function* toCsv(batches: AsyncIterable<readonly AlertSummary[]>): AsyncGenerator<string> {
  let head = csvHeader;
  for await (const batch of batches) {
    yield head + batch.map(toCsvLine).join("");
    head = "";
  }
  if (head !== "") yield head;
}

async function* toLines<T>(
  batches: AsyncIterable<readonly T[]>,
  project: (alert: T) => unknown,
): AsyncGenerator<string> {
  for await (const batch of batches) {
    yield batch.map((alert) => `${JSON.stringify(project(alert))}\n`).join("");
  }
}
