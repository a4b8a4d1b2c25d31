import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";

import { createSeededRandom } from "../../../runtime/failpoints.ts";
import { createLog } from "../../../runtime/log.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { sightingEmission } from "../emissions.testing.ts";
import { writeAlerts } from "../store/write-alerts.ts";
import type { Action } from "./action.ts";
import { createDesk, type Desk } from "./desk.ts";

const log = createLog({ name: "test", level: "silent" });
let database: TestDatabase;
let postgres: Postgres;
let desk: Desk;

beforeAll(async () => {
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", max: 12, log });
  desk = createDesk({ postgres, now: Date.now, onOutbox: () => undefined });
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const ana = { type: "user", id: "ana" } as const;

/** An alert of a run's only group, seen from one second to another. */
const emissionOf = (run: string, [from, to]: readonly [number, number]) =>
  sightingEmission({ alert: from * 100 + to, group: 0, events: [from, to] }, run);

async function store(run: string, span: readonly [number, number]): Promise<string> {
  const emission = emissionOf(run, span);
  await postgres.transaction((sql) => writeAlerts(sql, [emission]));
  return emission.alertId;
}

interface Told {
  readonly revision: number;
  readonly assignee: string | null;
  readonly changes: number;
  readonly events: number;
}

/** The surviving episodes of the group that an alert is in, with what history and the outbox hold of them. */
async function toldOf(alertId: string) {
  return await postgres.sql<Told[]>`
    select revision::float8 as revision, assignee,
      (select count(*)::float8 from alert_changes where alert_id = any(ids)) as changes,
      (select count(distinct event ->> 'id')::float8 from outbox where (event ->> 'subject')::uuid = any(ids)) as events
    from episodes as episode
    cross join lateral (
      select array_agg(alert_id) as ids from alerts where alerts.group_id = episode.group_id
        and first_seen between episode.first_seen and episode.last_seen) as inside
    where merged_into is null and group_id = (select group_id from alerts where alert_id = ${alertId})
    order by revision`;
}

test("a change that races the merge of its alert into another one is not lost", async () => {
  for (let round = 0; round < 15; round += 1) {
    const run = randomUUID();
    const early = await store(run, [1, 2]);
    const late = await store(run, [8, 9]);
    const [changed] = await Promise.all([
      desk.change(late, { action: { action: "assign", assignee: "ana" }, by: ana }),
      // Bridges the two.
      store(run, [2, 8]),
    ]);
    expect(changed.kind).toBe("changed");
    const told = await toldOf(early);
    expect(told).toEqual([{ revision: 1, assignee: "ana", changes: 1, events: 1 }]);
    expect(await desk.change(late, { action: { action: "acknowledge" }, by: ana })).toMatchObject({
      alert: { alert_id: early, revision: 2, assignee: "ana" },
    });
  }
});

test("a change at a revision is refused when a merge has moved it on", async () => {
  const run = randomUUID();
  const early = await store(run, [1, 2]);
  const late = await store(run, [8, 9]);
  await desk.change(late, { action: { action: "assign", assignee: "ana" }, by: ana });
  await store(run, [2, 8]);
  const stale = await desk.change(early, { action: { action: "acknowledge" }, by: ana }, { ifRevision: 0 });
  expect(stale).toMatchObject({ kind: "stale", revision: 1, last: { alert_id: late, action: "assign" } });
});

test("twenty changes and merges at once end with as many rows of history as the revision says", async () => {
  const random = createSeededRandom(7);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const actions: readonly Action[] = [
    { action: "acknowledge" },
    { action: "unacknowledge" },
    { action: "assign", assignee: "ana" },
    { action: "assign", assignee: "ben" },
    { action: "comment" },
    { action: "resolve", disposition: "benign" },
    { action: "reopen" },
  ];
  let joined = 0;
  for (let round = 0; round < 10; round += 1) {
    const run = randomUUID();
    const ids: string[] = [];
    for (const from of [0, 10, 20, 30]) ids.push(await store(run, [from, from + 2]));
    const kinds = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        if (n % 4 === 3) {
          const from = pick([0, 10, 20]);
          await store(run, [from + 1, from + 11]);
          return "merge";
        }
        const reason = `number ${n}`;
        return (await desk.change(pick(ids), { action: pick(actions), by: ana, reason })).kind;
      }),
    );
    const told = await toldOf(ids[0]!);
    joined += 4 - told.length;
    for (const { revision, changes, events } of told) {
      expect({ changes, events }).toEqual({ changes: revision, events: revision });
    }
    const changed = kinds.filter((kind) => kind === "changed").length;
    expect(told.reduce((sum, { revision }) => sum + revision, 0)).toBeGreaterThanOrEqual(changed);
    expect(kinds).toContain("changed");
  }
  expect(joined).toBeGreaterThan(10);
});
