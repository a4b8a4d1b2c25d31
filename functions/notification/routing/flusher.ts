import type postgres from "postgres";

import { type Failpoint, noFailpoint } from "../../../runtime/failpoints.ts";
import type { Postgres } from "../../../runtime/postgres/postgres.ts";
import { writeDeliveries } from "../delivery/write-deliveries.ts";
import { decide } from "./groups.ts";
import { holdOf } from "./hold.ts";
import { type LoadedGroup, loadGroup } from "./members.ts";
import { groupIdParts, toDeliveries } from "./messages.ts";
import { readMuting } from "./muting.ts";
import {
  claimGroups,
  claimStray,
  type DueGroup,
  readMembers,
  readNextDue,
  takeReadable,
} from "./read-groups.ts";
import { allRoutes, type Route, type Routes } from "./routes.ts";
import { markStray, moveGroup } from "./stray.ts";
import { readClock, type TellDeps } from "./tell.ts";
import { type Decided, dueAgain, writeDecisions } from "./write-decisions.ts";

export interface FlusherDeps extends TellDeps {
  readonly postgres: Postgres;
  readonly failpoint?: Failpoint;
  /**
   * How long a group of a route that is not known here is left to others. While a changed file reaches one
   * process after the other, they disagree about what the routes are.
   */
  readonly graceMs?: number;
  /** Transactions of one run, for groups that are due and for those that move. */
  readonly maxRounds?: number;
}

/** Puts together what is due: messages of groups, repetitions, escalations, digests. */
export interface Flusher {
  /**
   * Writes the deliveries of what is due, a thousand groups at most: what is written already must not wait for
   * more than that to be sent. `nextDue` tells whether there is more. Answers how many groups were looked at.
   */
  run(): Promise<number>;
  /** Milliseconds until something is due; `undefined` when nothing is planned. */
  nextDue(): Promise<number | undefined>;
}

/** Groups per transaction: it holds their locks, and whoever stores an alert of one of them waits. */
const batchSize = 20;

/**
 * The flusher. A look at a group, what it gave rise to and when the next one is due are one transaction
 * under the group's lock: two workers cannot send a message twice, and one that is killed sends none.
 */
export function createFlusher(deps: FlusherDeps): Flusher {
  const { postgres, routes: current, graceMs = 60_000, maxRounds = 50 } = deps;
  return {
    async run() {
      let looks = 0;
      for (let round = 0; round < maxRounds; round += 1) {
        const routes = current();
        const names = namesOf(routes);
        const flushed = await flushBatch(deps, routes);
        const stray = await postgres.transaction(async (sql) => {
          const group = await claimStray(sql, { routes: names, graceMs });
          if (group) await moveGroup(sql, group, routes);
          return group;
        });
        looks += flushed + (stray ? 1 : 0);
        if (flushed === 0 && !stray) break;
      }
      return looks;
    },
    nextDue: () => readNextDue(postgres.sql, { routes: namesOf(current()), graceMs }),
  };
}

function namesOf(routes: Routes): readonly string[] {
  return allRoutes(routes.root).map(({ name }) => name);
}

async function flushBatch({ postgres, ...deps }: FlusherDeps, routes: Routes): Promise<number> {
  const { failpoint = noFailpoint } = deps;
  const count = await postgres.transaction(async (sql) => {
    const claimed = await claimGroups(sql, { routes: namesOf(routes), limit: batchSize });
    if (claimed.length === 0) return 0;
    const groups = await takeReadable(sql, claimed);
    await flushGroups(sql, groups, { ...deps, routes });
    await failpoint("routing-before-commit");
    return groups.length;
  });
  if (count > 0) await failpoint("routing-after-commit");
  return count;
}

type Context = Omit<TellDeps, "routes"> & { readonly routes: Routes };

async function flushGroups(
  sql: postgres.TransactionSql,
  groups: readonly DueGroup[],
  { routes, silences, urlOf, horizonMs }: Context,
): Promise<void> {
  const now = await readClock(sql);
  const rows = await readMembers(
    sql,
    groups.map(({ group_id }) => group_id),
  );
  const alerts = rows.flatMap(({ alert }) => alert ?? []);
  const mutingOf = await readMuting(sql, alerts, { routes, silences, now });
  const byGroup = Map.groupBy(rows, ({ group_id }) => group_id);
  const loaded = groups.map((group) => loadGroup(group, byGroup.get(group.group_id) ?? [], mutingOf));
  const byName = new Map(allRoutes(routes.root).map((route) => [route.name, route]));
  const isMisplaced = (one: LoadedGroup) => byName.get(one.group.route)?.groupBy === "alone" && hasMoved(one);
  const decided = loaded.flatMap((one) => {
    const route = byName.get(one.group.route);
    return route && !isMisplaced(one) ? [decideGroup(one, { route, routes, now })] : [];
  });
  const deliveries = decided.flatMap((one) => deliveriesOf(one, { now, urlOf }));
  await writeDeliveries(sql, deliveries, horizonMs === undefined ? {} : { horizonMs });
  await writeDecisions(sql, decided);
  await markStray(
    sql,
    loaded.filter(isMisplaced).map(({ group }) => group.group_id),
  );
}

/** Whether the alert of a group of its own became part of another one, which has its group. */
function hasMoved({ group, state }: LoadedGroup): boolean {
  return state.members.some(({ id }) => id !== group.group_values["alert_id"]);
}

interface DecideContext {
  readonly route: Route;
  readonly routes: Routes;
  readonly now: number;
}

function decideGroup(
  loaded: LoadedGroup,
  { route, routes, now }: DecideContext,
): Decided & { readonly route: Route } {
  const hold = holdOf(route, routes.muteTimes, now);
  const decision = decide(route, loaded.state, { now, hold });
  const sequence = loaded.group.sequence + (decision.messages.length > 0 ? 1 : 0);
  return { loaded, decision, sequence, dueAt: dueAgain(loaded, decision, now), route };
}

function deliveriesOf(
  { loaded, decision, sequence, route }: Decided & { readonly route: Route },
  { now, urlOf }: { readonly now: number; readonly urlOf: TellDeps["urlOf"] },
) {
  const { group, alerts } = loaded;
  return toDeliveries(decision.messages, {
    route,
    group: { id: group.group_id, values: group.group_values },
    alerts,
    now,
    urlOf,
    idParts: groupIdParts(group.group_id, group.opened, sequence),
  });
}
