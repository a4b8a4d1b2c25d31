import { toInstant } from "../../events/time.ts";
import type { AlertSummary } from "../../functions/notification/alert-view.ts";
import { formatDuration } from "../../functions/notification/routing/duration.ts";
import { type Foreseen, foresee } from "../../functions/notification/routing/foresee.ts";
import { inhibitedBy } from "../../functions/notification/routing/inhibit.ts";
import { type Plan, planOccasion } from "../../functions/notification/routing/plan.ts";
import type { Routes } from "../../functions/notification/routing/routes.ts";

/** Where an alert goes, as `-o json` prints it. */
export interface Verdict {
  readonly alert: Pick<AlertSummary, "alert_id" | "alert_name" | "severity" | "rule_id" | "server_hostname">;
  readonly at: string;
  readonly inhibited_by: { readonly name: string; readonly alert_id: string } | null;
  readonly routes: readonly RouteVerdict[];
}

export interface RouteVerdict {
  /** The names from the root to the route. */
  readonly path: readonly string[];
  readonly channels: readonly string[];
  /** What the alerts it is told with have in common; null when it is told alone. */
  readonly group: Readonly<Record<string, string>> | null;
  /** What keeps the route silent now, and until when. */
  readonly held_by: string | null;
  readonly held_until: string | null;
  /** The same where no end is in sight within a year: only another file makes the route speak. */
  readonly muted_for_good_by: string | null;
  readonly repeat_interval: string | null;
  /** If nobody does anything and no other alert comes; the first repetition stands for all. */
  readonly messages: readonly {
    readonly at: string;
    readonly in: string;
    readonly kind: string;
    readonly channels: readonly string[];
    readonly step: number | null;
    readonly muted_by: string | null;
  }[];
}

/**
 * Where each of some alerts would go if it came now. The alerts that are given together are there together:
 * one of them can inhibit another. Silences are the server's and are not asked.
 */
export function judge(routes: Routes, alerts: readonly AlertSummary[], now: number): readonly Verdict[] {
  const sources = new Map(
    routes.inhibitions.map(({ name }) => [name, alerts.filter(({ status }) => status !== "resolved")]),
  );
  return alerts.map((alert) => {
    const inhibition = inhibitedBy(routes.inhibitions, alert, { sources, now });
    const mutingOf = () => inhibition && `inhibition/${inhibition.name}`;
    const plans = planOccasion(routes, { kind: "raised", alert }, { now, mutingOf });
    const { alert_id, alert_name, severity, rule_id, server_hostname } = alert;
    return {
      alert: { alert_id, alert_name, severity, rule_id, server_hostname },
      at: toInstant(now),
      inhibited_by: inhibition ? { name: inhibition.name, alert_id: inhibition.source.alert_id } : null,
      routes: plans.map((plan) => toVerdict(plan, foresee(routes, plan, now), now)),
    };
  });
}

function toVerdict(
  { path, route, group, hold }: Plan,
  messages: readonly Foreseen[],
  now: number,
): RouteVerdict {
  return {
    path: path.map(({ name }) => name),
    channels: route.channels,
    group: route.groupBy === "alone" ? null : group.values,
    held_by: hold?.by ?? null,
    held_until: hold?.until === undefined ? null : toInstant(hold.until),
    muted_for_good_by: hold && hold.until === undefined ? hold.by : null,
    repeat_interval: route.repeatIntervalMs === undefined ? null : formatDuration(route.repeatIntervalMs),
    messages: messages.map(({ at, kind, channels, step, mutedBy }) => ({
      at: toInstant(at),
      in: formatDuration(Math.round((at - now) / 1000) * 1000),
      kind,
      channels,
      step: step ?? null,
      muted_by: mutedBy ?? null,
    })),
  };
}

/** The same for people. */
export function describeVerdict({ alert, at, inhibited_by: inhibition, routes }: Verdict): readonly string[] {
  const about = [alert.severity, alert.rule_id, alert.server_hostname].filter(Boolean).join(" ");
  return [
    `${alert.alert_id}  ${alert.alert_name}  ${about}  at ${at}`,
    ...(inhibition ? [`  inhibited by ${inhibition.name}, because of ${inhibition.alert_id}`] : []),
    ...routes.flatMap(describeRoute),
  ];
}

function describeRoute({
  path,
  channels,
  group,
  held_by,
  held_until,
  muted_for_good_by,
  ...route
}: RouteVerdict): readonly string[] {
  const values = Object.entries(group ?? {}).map(([field, value]) => `${field}=${value}`);
  const grouped = group === null ? "alone" : values.join(", ") || "all alerts of the route";
  return [
    `  ${path.join(" > ")}`,
    `    channels  ${channels.join(", ") || "none: nobody is told"}`,
    `    group     ${grouped}`,
    ...(held_until === null ? [] : [`    silent    ${held_by}, until ${held_until}`]),
    ...(muted_for_good_by === null
      ? []
      : [`    silent    muted for good by ${muted_for_good_by}: no end within a year`]),
    ...route.messages.map((message) => `    ${describeMessage(message, route.repeat_interval)}`),
  ];
}

function describeMessage(
  { at, in: after, kind, channels, step, muted_by }: RouteVerdict["messages"][number],
  interval: string | null,
): string {
  const when = after === "0s" ? "at once" : `after ${after} (${at})`;
  const what = kind === "escalated" ? `escalated, step ${step}` : kind;
  const again = kind === "repeated" ? `, every ${interval} until it is resolved` : "";
  const whom = muted_by === null ? `to ${channels.join(", ")}` : `not sent: ${muted_by}`;
  return `${what.padEnd(9)} ${when} ${whom}${again}`;
}
