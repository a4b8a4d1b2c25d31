import { expect, test } from "vitest";

import { alertRaised } from "../../events/contracts/alert-raised.ts";
import { type AuditRecorded, auditRecorded } from "../../events/contracts/audit-recorded.ts";
import { parseEvent } from "../../events/envelope.ts";
import type { Event } from "../../events/event.ts";
import { decodeRequest, encodeBinary } from "../../events/http.ts";
import { prepareEmission } from "../../runtime/emission.ts";
import { createTestAnalysis, login } from "./analysis.testing.ts";

const trace = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", flags: "01" };
const shadow = { event_type: "file_modified", details: { resource: "/etc/shadow" } };

const longActor = { ...shadow, user_id: null, original: { actor: `${"t".repeat(4095)}😀` } };

/** Objects inside each other, so many levels. */
function nested(levels: number): object {
  return levels === 0 ? {} : { in: nested(levels - 1) };
}

/** Events that are valid to the last character, so that whoever wants to stay unseen may send them. */
const events: readonly (readonly [name: string, event: Event])[] = [
  ["an id as long as attributes may be", { ...login("i", 0, shadow), id: "x".repeat(8000) }],
  ["a source as long as attributes may be", { ...login("s", 0, shadow), source: `/${"x".repeat(8000)}` }],
  ["a correlation id that leaves no room", withExtension("correlationid", "c".repeat(7900))],
  ["a group that is cut within a character", login("g", 0, { user_id: `${"u".repeat(255)}😀` })],
  ["an actor that is cut within a character", login("a", 0, { ...shadow, user_id: `${"u".repeat(255)}😀` })],
  ["a text that is cut within a character", login("t", 0, longActor)],
  ["data nested as deep as it may be", login("n", 0, { ...shadow, original: nested(62) })],
  ["the first year, in a zone ahead of UTC", { ...login("y", 0, shadow), time: "0000-01-01T00:00:00+23:59" }],
  ["the last year, in a zone behind UTC", { ...login("z", 0, shadow), time: "9999-12-31T23:59:59-23:59" }],
];

test.for(events)("the alerts of an event with %s can be told", async ([, event]) => {
  const { detect } = createTestAnalysis();
  const told = [];
  for (const number of [1, 2, 3]) {
    const delivered = parseEvent([auditRecorded], over({ ...event, id: `${number}${event.id.slice(1)}` }));
    for (const alert of await detect(delivered)) {
      told.push(
        parseEvent([alertRaised], over(prepareEmission(alert, [alertRaised], { trace, cause: event }))),
      );
    }
  }
  expect(told).not.toEqual([]);
});

/** The event as it arrives on the other side of HTTP. */
function over(event: Event): Event {
  return decodeRequest(encodeBinary(event));
}

function withExtension(name: string, value: string): Event<AuditRecorded> {
  return { ...login("e", 0, shadow), extensions: { [name]: value } };
}
