import type postgres from "postgres";

import type { AlertSummary } from "../alert-view.ts";
import { type NewDelivery, writeDeliveries } from "../delivery/write-deliveries.ts";
import type { Tell } from "../store/tell.ts";
import type { Member } from "./groups.ts";
import { directIdParts, toDeliveries } from "./messages.ts";
import { type ActiveSilences, readMuting } from "./muting.ts";
import { isDirect, type Plan, planOccasion } from "./plan.ts";
import type { Routes } from "./routes.ts";
import { type NewGroup, type NewMember, writeGroups } from "./write-groups.ts";

export interface TellDeps {
  /** The routes in force; asked once for each batch. */
  readonly routes: () => Routes;
  readonly silences: ActiveSilences;
  /** Where an alert can be looked at. */
  readonly urlOf?: ((alertId: string) => string) | undefined;
  /** How long a delivery is tried. */
  readonly horizonMs?: number | undefined;
}

/**
 * Alerts of routes that tell each alone become deliveries here; those of routes that wait for others, and
 * what is to be repeated or escalated, become groups for the flusher. At most six statements, whatever the
 * number of occasions. Call it once in a transaction: it locks groups in one order, and two calls do not.
 */
export function createTell({ routes: current, silences, urlOf, horizonMs }: TellDeps): Tell {
  return async (sql, occasions) => {
    const told = occasions.filter(({ alert }) => alert.status !== "suppressed");
    if (told.length === 0) return false;
    const routes = current();
    const now = await readClock(sql);
    const alerts = told.map(({ alert }) => alert);
    const mutingOf = await readMuting(sql, alerts, { routes, silences, now });
    const plans = told.flatMap((occasion) =>
      planOccasion(routes, occasion, { now, mutingOf }).map((plan) => ({ plan, alert: occasion.alert })),
    );
    const deliveries = plans.flatMap(({ plan, alert }) => directDeliveries(plan, { alert, now, urlOf }));
    await writeDeliveries(sql, distinct(deliveries), horizonMs === undefined ? {} : { horizonMs });
    const kept = plans.map(({ plan }) => plan).filter(isKept);
    await writeGroups(
      sql,
      kept.map((plan) => toGroup(plan, now)),
      kept.map(toMember),
    );
    return kept.length > 0 || deliveries.some(({ muted_by }) => muted_by === null);
  };
}

/** The database's clock, epoch milliseconds. */
export async function readClock(sql: postgres.ISql): Promise<number> {
  const [row] = await sql<{ now: number }[]>`
    select floor(extract(epoch from clock_timestamp()) * 1000)::float8 as now`;
  if (!row) throw new Error("The database told no time.");
  return row.now;
}

interface DirectContext {
  readonly alert: AlertSummary;
  readonly now: number;
  readonly urlOf: TellDeps["urlOf"];
}

function directDeliveries(
  { route, group, decision }: Plan,
  { alert, now, urlOf }: DirectContext,
): readonly NewDelivery[] {
  if (!isDirect(route)) return [];
  const alerts = new Map([[alert.alert_id, alert]]);
  return toDeliveries(decision.messages, {
    route,
    group,
    alerts,
    now,
    urlOf,
    idParts: directIdParts(alert, route),
  });
}

/** Two routes may lead one alert to one channel, which is told once. */
function distinct(deliveries: readonly NewDelivery[]): readonly NewDelivery[] {
  return [...new Map(deliveries.toReversed().map((row) => [row.delivery_id, row])).values()].toReversed();
}

/** Whether there is anything left for the flusher. */
function isKept({ route, decision }: Plan): boolean {
  return !isDirect(route) || decision.dueAt !== undefined;
}

function toGroup({ route, group, decision }: Plan, now: number): NewGroup {
  // Of a group with others nothing is said here: when this alert alone would be told is when to look.
  const isNow = !isDirect(route) && decision.messages.length > 0;
  return {
    group_id: group.id,
    route: route.name,
    group_values: group.values,
    due_at: isNow ? now : (decision.dueAt ?? now),
    last_told_at: isDirect(route) ? (decision.lastToldAt ?? null) : null,
  };
}

function toMember({ route, group, member, decision }: Plan): NewMember {
  const after = isDirect(route) ? (decision.members[0] ?? member) : member;
  return { group_id: group.id, ...memberRow(after) };
}

/** A member as it is stored; `told` without a message of the group counts as its beginning. */
export function memberRow({ id, kind, addedAt, told, held, escalated }: Member): Omit<NewMember, "group_id"> {
  return {
    alert_id: id,
    kind,
    added_at: addedAt,
    told_sequence: told ? 0 : null,
    held,
    escalated,
  };
}
