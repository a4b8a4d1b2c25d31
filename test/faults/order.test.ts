import { describe, expect, test } from "vitest";

import { auditRecorded } from "../../events/contracts/audit-recorded.ts";
import { createEvent } from "../../events/envelope.ts";
import { parseInstant, toInstant } from "../../events/time.ts";
import { faultServersMissing } from "./missing.ts";
import { metricOf, play } from "./scenario.ts";
import type { AuditEvent } from "./traffic.ts";

const minute = 60_000;
const lateCount = 20;

describe.skipIf(faultServersMissing)("events in any order", () => {
  test("S20 repeated, shuffled and later than the lateness", async () => {
    const missed = await play({
      name: "S20",
      env: () => ({ AUDITFLOW_LATENESS: "5m" }),
      load: { spanMs: 2 * minute, more: lateEvents, sent: disorder },
      fault: async (_rig, sent) => void (await sent),
      hits: async ({ analysis, generator }) => {
        const late = await metricOf(analysis, "auditflow_events_late_total");
        return {
          "repetitions noticed": [
            await metricOf([generator], "auditflow_events_accepted_total", 'outcome="duplicate"'),
            400,
          ],
          "late events": [late, lateCount],
          "no event that was not late": [-late, -lateCount],
        };
      },
    });
    expect(missed, "A8 faults that did not hit").toEqual([]);
  });
});

/** Bursts of half an hour ago, without a host, so that each event counts for one rule. */
function lateEvents(from: number): readonly AuditEvent[] {
  return Array.from({ length: lateCount }, (_, number) => {
    const [burst, part] = [Math.floor(number / 7), number % 7];
    const time = toInstant(from - 30 * minute + burst * minute + part * 1000);
    const data = { event_type: "user_login", user_id: `late-${burst}`, action_result: "FAILURE" };
    return createEvent(auditRecorded, { id: `late${number}`, source: "/faults", time, data });
  });
}

/** Each up to a minute earlier or later than it happened, and 30 in 100 of those in time twice. */
function disorder(events: readonly AuditEvent[], random: () => number): readonly AuditEvent[] {
  const [first, last] = [timeOf(events[0]), timeOf(events.at(-1 - lateCount))];
  return events
    .flatMap((event) => {
      const isLate = timeOf(event) < first;
      const time = isLate ? first + random() * (last - first) : timeOf(event);
      const times = isLate || random() >= 0.3 ? 1 : 2;
      return Array.from({ length: times }, () => ({ event, at: time + (random() * 2 - 1) * minute }));
    })
    .toSorted((a, b) => a.at - b.at)
    .map(({ event }) => event);
}

function timeOf(event: AuditEvent | undefined): number {
  return parseInstant(event?.time ?? "") ?? 0;
}
