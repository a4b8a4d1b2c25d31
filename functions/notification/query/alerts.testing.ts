import * as fc from "fast-check";

import { deriveUuid } from "../../../events/identity.ts";
import { toInstant } from "../../../events/time.ts";
import { type AlertSummary, dispositions, severities, statuses } from "../alert-view.ts";

/** What the generated alerts and queries take for now. */
export const now = Date.parse("2026-11-21T12:00:00Z");

/** Few texts, near to one another and awkward in SQL, in patterns and in case. */
const texts = [
  "root",
  "ROOT",
  "rOot*",
  "root%",
  "ro_t",
  "r\\o",
  "",
  " ",
  "a,b",
  'say "hi"',
  "É",
  "é",
  "K", // The Kelvin sign, which is no K here.
  "ſ",
  "İ",
  "line\nbreak",
  "\\",
  "😀root",
  "(a|b)+",
  "root'; drop table episodes; --",
  "$1",
  "ssh-login",
  "OR",
  "-x",
  "null",
];

export const text = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...texts) },
  fc.string({ unit: "grapheme", maxLength: 5 }).map(storable),
);
const maybeText = fc.option(text, { freq: 3 });

/** PostgreSQL's text holds neither. */
function storable(value: string): string {
  return value.replaceAll("\0", "").toWellFormed();
}

export const ids = [1, 2, 3].map((n) => deriveUuid("query", String(n)));

/** Moments near the borders that queries ask for. */
const moment = fc
  .constantFrom(0, 1, 1000, 60_000, 900_000, 3_600_000, 86_400_000)
  .chain((ago) => fc.constantFrom(-1, 0, 1).map((step) => now - ago + step));
const instant = fc
  .oneof(
    { weight: 9, arbitrary: moment },
    { weight: 1, arbitrary: fc.constantFrom(-62_167_219_200_000, 253_402_300_799_999) },
  )
  .map(toInstant);

export const alerts: fc.Arbitrary<AlertSummary> = fc.record({
  alert_id: fc.uuid(),
  timestamp: instant,
  received_at: moment.map(toInstant),
  alert_name: text,
  alert_type: fc.constantFrom("SECURITY", "Compliance"),
  severity: fc.constantFrom(...severities),
  description: text,
  source_service_name: maybeText,
  rule_id: text,
  rule_name: text,
  rule_version: maybeText,
  actor_type: fc.option(fc.constantFrom("USER", "user", "service")),
  actor_id: maybeText,
  client_ip: fc.option(fc.constantFrom("203.0.113.7", "10.0.0.1", "2001:db8::1")),
  resource_type: maybeText,
  resource_id: maybeText,
  server_hostname: maybeText,
  action_observed: text,
  correlation_id: fc.option(fc.constantFrom(...ids)),
  tags: fc.array(text, { maxLength: 3 }),
  environment: fc.option(fc.constantFrom("prod", "PROD", "test")),
  group: fc.constant(null),
  count: fc.constantFrom(0, 1, 2, 10, 999_999_999_999_999),
  first_seen: instant,
  last_seen: instant,
  status: fc.constantFrom(...statuses),
  disposition: fc.option(fc.constantFrom(...dispositions)),
  assignee: maybeText,
  snoozed_until: fc.option(instant),
  revision: fc.nat(3),
});
