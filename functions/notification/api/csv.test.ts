import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { AlertSummary } from "../alert-view.ts";
import { csvColumns, csvHeader, toCsvLine } from "./csv.ts";

const alert: AlertSummary = {
  alert_id: "a",
  timestamp: "t",
  received_at: "t",
  alert_name: "n",
  alert_type: "SECURITY",
  severity: "HIGH",
  description: "",
  source_service_name: null,
  rule_id: "r",
  rule_name: "r",
  rule_version: null,
  actor_type: null,
  actor_id: null,
  client_ip: null,
  resource_type: null,
  resource_id: null,
  server_hostname: null,
  action_observed: "x",
  correlation_id: null,
  tags: ["one", "two"],
  environment: null,
  group: { user: "root" },
  count: 3,
  first_seen: "t",
  last_seen: "t",
  status: "open",
  disposition: null,
  assignee: null,
  snoozed_until: null,
  revision: 0,
};

/** The cells of one line, read as RFC 4180 has it. */
function cellsOf(line: string): readonly string[] {
  expect(line.endsWith("\r\n")).toBe(true);
  const cells: string[] = [];
  const rest = line.slice(0, -2);
  for (let at = 0; at <= rest.length; at++) {
    const isQuoted = rest[at] === '"';
    let cell = "";
    if (isQuoted) {
      for (at++; rest[at] !== '"' || rest[at + 1] === '"'; at++) {
        if (rest[at] === '"') at++;
        cell += rest[at];
      }
      at++;
    } else for (; at < rest.length && rest[at] !== ","; at++) cell += rest[at];
    cells.push(cell);
  }
  return cells;
}

const cellOf = (line: string, column: (typeof csvColumns)[number]) =>
  cellsOf(line)[csvColumns.indexOf(column)];

test("every member of an alert is a column", () => {
  expect(csvColumns.toSorted()).toEqual(Object.keys(alert).toSorted());
  expect(cellsOf(csvHeader)).toEqual(csvColumns);
  expect(cellOf(toCsvLine(alert), "tags")).toBe("one two");
  expect(cellOf(toCsvLine(alert), "group")).toBe('{"user":"root"}');
  expect(cellOf(toCsvLine(alert), "count")).toBe("3");
});

test("any text comes back, with an apostrophe where a spreadsheet would run it", () => {
  const unit = fc.constantFrom("=", "+", "-", "@", "\t", "\r", '"', ",", "\n", "'", " ", "a", "é", "🦊");
  fc.assert(
    fc.property(fc.string({ unit }), (description) => {
      const cell = cellOf(toCsvLine({ ...alert, description }), "description") ?? "";
      const isFormula = /^[=+\-@\t\r]/.test(description);
      expect(cell).toBe(isFormula ? `'${description}` : description);
    }),
  );
});
