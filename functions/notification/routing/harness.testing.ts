import { randomUUID } from "node:crypto";
import type { Sql } from "postgres";

import { createLog } from "../../../runtime/log.ts";
import { openPostgres } from "../../../runtime/postgres/postgres.ts";
import { openTestDatabase } from "../../../test/support/database.ts";
import type { AlertSummary } from "../alert-view.ts";
import { parseQuery } from "../query/query.ts";
import type { Occasion } from "../store/tell.ts";
import { createFlusher, type FlusherDeps } from "./flusher.ts";
import type { ActiveSilences } from "./muting.ts";
import { defaultRoutes, type Routes } from "./routes.ts";
import { insertEpisode, letPass } from "./routing.testing.ts";
import { createTell } from "./tell.ts";

interface Row {
  readonly delivery_id: string;
  readonly channel: string;
  readonly kind: string;
  readonly status: string;
  readonly muted_by: string | null;
  readonly route: string;
  readonly ids: readonly string[];
}

/** Routing on a database of its own, whose routes and silences a test sets as it goes. */
export async function openRouting() {
  await using opening = new AsyncDisposableStack();
  const database = opening.use(await openTestDatabase());
  const log = createLog({ name: "test", level: "silent" });
  const postgres = opening.use(await openPostgres({ url: database.url, name: "test", max: 8, log }));
  const { sql } = postgres;
  const opened = opening.move();
  let routes: Routes = defaultRoutes(["console"]);
  let silenced: string | undefined;
  const silences: ActiveSilences = async () =>
    silenced === undefined ? [] : [{ silence_id: "s-1", query: parseQuery(silenced) }];
  const deps = { routes: () => routes, silences };
  const tell = createTell(deps);

  const written = () => readWritten(sql);

  return {
    postgres,
    async reset() {
      silenced = undefined;
      for (const table of ["deliveries", "notification_groups", "episodes"]) {
        await sql.unsafe(`delete from ${table}`);
      }
    },
    use: (next: Routes) => void (routes = next),
    silence: (query: string) => void (silenced = query),
    flusher: (more: Partial<FlusherDeps> = {}) => createFlusher({ ...deps, postgres, graceMs: 0, ...more }),
    letPass: (interval: string) => letPass(sql, interval),
    /** Stores alerts and tells of them in one transaction. */
    raise: (...changes: readonly Partial<AlertSummary>[]) =>
      postgres.transaction(async (sql) => {
        const alerts: AlertSummary[] = [];
        for (const change of changes) {
          alerts.push(await insertEpisode(sql, { alert_id: randomUUID(), ...change }));
        }
        await tell(
          sql,
          alerts.map((alert) => ({ kind: "raised", alert }) satisfies Occasion),
        );
        return alerts;
      }),
    reopen: (alert: AlertSummary | undefined, revision: number) =>
      postgres.transaction(async (sql) => {
        if (alert) await tell(sql, [{ kind: "reopened", alert: { ...alert, revision } }]);
      }),
    written,
    /** What was written, such as `raised chat pending 2`, with the number of alerts. */
    async brief(): Promise<readonly string[]> {
      return (await written()).map(
        ({ channel, kind, status, ids }) => `${kind} ${channel} ${status} ${ids.length}`,
      );
    },
    async groups() {
      const [row] = await sql<{ groups: number; members: number }[]>`
        select (select count(*)::int from notification_groups) as groups,
          (select count(*)::int from notification_group_members) as members`;
      return row;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function readWritten(sql: Sql): Promise<readonly Row[]> {
  return await sql<Row[]>`
    select delivery_id, channel, kind, status, muted_by, route, to_jsonb(alert_ids) as ids from deliveries
    order by created_at, kind, channel, status, muted_by`;
}
