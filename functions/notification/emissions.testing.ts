import * as fc from "fast-check";

import type { EventOf } from "../../events/contract.ts";
import { type AlertRaised, alertRaised } from "../../events/contracts/alert-raised.ts";
import { deriveUuid } from "../../events/identity.ts";
import { toInstant } from "../../events/time.ts";
import { type Emission, toEmission } from "./alert.ts";

/** An alert event; `data` replaces single fields, `undefined` takes one away. */
export function alertEvent(
  data: Partial<AlertRaised> & { readonly [name: string]: unknown } = {},
  id = "emission-1",
): EventOf<typeof alertRaised> {
  return {
    specversion: "1.0",
    id,
    source: "/auditflow/analysis",
    type: alertRaised.type,
    time: "2026-11-21T12:00:05.000Z",
    datacontenttype: "application/json",
    extensions: {},
    data: {
      alert_id: deriveUuid("test-alert", "1"),
      timestamp: "2026-11-21T12:00:05.000Z",
      alert_name: "Multiple failed logins",
      alert_type: "SECURITY",
      severity: "HIGH",
      description: "Failed logins of root on edge-2.",
      source_service_name: "sshd",
      analysis_rule: { rule_id: "ANLY-SEC-001", rule_name: "Failed login burst" },
      triggered_by: { actor_type: "USER", actor_id: "root", client_ip: "203.0.113.7" },
      impacted_resource: { resource_type: "HOST", resource_id: "edge-2", server_hostname: "edge-2" },
      action_observed: "user_login",
      correlation_id: "0d4f6f0e-5f0e-4a57-9d7e-0b9f6c1c7e01",
      raw_event_data: { event_type: "user_login", user_id: "root" },
      metadata: { tags: ["attack.credential_access"] },
      ...data,
    },
  };
}

export interface Sighting {
  /** Which alert, a small number; alerts of one group share `group`. */
  readonly alert: number;
  readonly group: number;
  /** Evidence events by number; event n of a group happens at second n. */
  readonly events: readonly number[];
}

const start = Date.parse("2026-11-21T12:00:00Z");

/** The alert event of a sighting; `run` keeps the alerts of one test apart from those of the next. */
export function sightingEvent({ alert, group, events }: Sighting, run = "run"): EventOf<typeof alertRaised> {
  const instants = events.map((event) => toInstant(start + event * 1000));
  return alertEvent(
    {
      alert_id: deriveUuid(run, String(group), String(alert)),
      timestamp: instants.toSorted().at(-1) ?? toInstant(start),
      description: `alert ${alert} seen by ${events.join(", ")}`,
      group_key: `${run} ${group}`,
      rule_version: "v1",
      correlation_id: deriveUuid("event", String(Math.min(...events))),
      evidence: events.map((event, index) => ({
        source: `/group/${group}`,
        id: `event-${event}`,
        time: instants[index] ?? "",
      })),
    },
    deriveUuid(run, "emission", JSON.stringify([alert, group, events])),
  );
}

export function sightingEmission(sighting: Sighting, run?: string): Emission {
  return toEmission(sightingEvent(sighting, run));
}

/** Sightings as analysis produces them: neighbours share events, some lie far apart, some bridge others. */
export const sightings: fc.Arbitrary<readonly Sighting[]> = fc.array(
  fc
    .record({
      alert: fc.integer({ min: 0, max: 5 }),
      group: fc.integer({ min: 0, max: 1 }),
      from: fc.integer({ min: 0, max: 24 }),
      steps: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
    })
    .map(({ alert, group, from, steps }) => {
      const events = [from];
      for (const step of steps) events.push((events.at(-1) ?? from) + step);
      return { alert, group, events: [...new Set(events)] };
    }),
  { minLength: 1, maxLength: 14 },
);

/** A list cut into batches, each item once or more often, in any order. */
export function deliveriesOf<T>(items: readonly T[]): fc.Arbitrary<readonly (readonly T[])[]> {
  const repeated = fc
    .array(fc.integer({ min: 0, max: Math.max(0, items.length - 1) }), { maxLength: 6 })
    .map((extra) => [...items, ...extra.flatMap((index) => items.slice(index, index + 1))]);
  return repeated
    .chain((all) =>
      fc.tuple(fc.shuffledSubarray(all, { minLength: all.length }), fc.array(fc.integer({ min: 1, max: 6 }))),
    )
    .map(([shuffled, sizes]) => cut(shuffled, sizes));
}

function cut<T>(items: readonly T[], sizes: readonly number[]): readonly (readonly T[])[] {
  const batches: T[][] = [];
  for (let from = 0, turn = 0; from < items.length; turn++) {
    const size = sizes[turn] ?? items.length;
    batches.push(items.slice(from, from + size));
    from += size;
  }
  return batches;
}
