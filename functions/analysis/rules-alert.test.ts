import { pino } from "pino";
import { expect, test } from "vitest";

import type { Event } from "../../events/event.ts";
import { alertsOf } from "./analysis.testing.ts";
import { createRulesAlarm } from "./rules-alert.ts";
import type { RuleProblem } from "./sigma/language/problem.ts";

const log = pino({ level: "silent" });
const problem = (file: string, severity: RuleProblem["severity"] = "error"): RuleProblem => ({
  code: "RULE_YAML_INVALID",
  severity,
  file,
  line: 3,
  column: 5,
  message: "This is not YAML.",
});

function createAlarm() {
  const sent: Event[] = [];
  const outage = { on: false };
  const sink = async (events: readonly Event[]) => {
    if (outage.on) throw new Error("away");
    sent.push(...events);
  };
  return { ...createRulesAlarm({ sink, now: Date.now, log }), sent, outage };
}

test("errors in rules become one alert, told once however often they are found", async () => {
  const alarm = createAlarm();
  alarm.report([problem("a.yml"), problem("b.yml"), problem("c.yml", "warning")]);
  alarm.report([problem("a.yml"), problem("b.yml")]);
  expect(alertsOf(alarm.sent)).toMatchObject([
    {
      alert_type: "PIPELINE",
      description: "2 rules are not in force. a.yml:3:5 RULE_YAML_INVALID This is not YAML.",
      impacted_resource: { resource_id: "a.yml" },
      raw_event_data: { errors: [{ file: "a.yml" }, { file: "b.yml" }], more: 0 },
    },
  ]);
  alarm.report([problem("b.yml")]);
  expect(alarm.sent).toHaveLength(2);

  const replica = createAlarm();
  replica.report([problem("a.yml"), problem("b.yml")]);
  expect(replica.sent[0]?.id).toBe(alarm.sent[0]?.id);
});

test("warnings alone, and nothing at all, are no alert", () => {
  const alarm = createAlarm();
  alarm.report([problem("a.yml", "warning")]);
  alarm.report([]);
  expect(alarm.sent).toEqual([]);
});

test("what the sink did not take is offered again, once", async () => {
  const alarm = createAlarm();
  alarm.outage.on = true;
  alarm.report([problem("a.yml")]);
  await alarm.retry();
  expect(alarm.sent).toEqual([]);
  alarm.outage.on = false;
  await alarm.retry();
  await alarm.retry();
  expect(alarm.sent).toHaveLength(1);
});
