import { createDesk, type Desk } from "../../functions/notification/life-cycle/desk.ts";
import { createLog } from "../../runtime/log.ts";
import { openPostgres } from "../../runtime/postgres/postgres.ts";
import { connect } from "../support/database.ts";
import { insertAlertRows } from "./alert-rows.ts";
import { compare, type Report } from "./measure.ts";
import { openStore } from "./store.ts";

const [few, many] = [10_000, 1_000_000];
const rounds = 15;
/** Changes a sample, one after the other. */
const changes = 20;
const bulk = 500;
const aim = { atMost: 2 };
const by = { type: "user", id: "bench" } as const;

/** What it costs to change the status of alerts when there are many, against what it costs when there are few. */
export async function run(): Promise<readonly Report[]> {
  await using small = await openAlerts(few);
  await using large = await openAlerts(many);
  const both = (measure: (alerts: Alerts) => Promise<number>) => [
    { name: `${few} alerts`, measure: () => measure(small) },
    { name: `${many} alerts`, measure: () => measure(large), aim },
  ];
  const options = { rounds, unit: "ms" };
  return [
    await compare("One status change (embedded PostgreSQL, fsync on)", {
      ...options,
      subjects: both(async ({ desk, next }) => {
        const ids = next(changes);
        const began = performance.now();
        for (const id of ids) await toggle(desk, id);
        return (performance.now() - began) / changes;
      }),
    }),
    await compare(`Status changes of ${bulk} alerts by ids, in one batch`, {
      ...options,
      subjects: both(async ({ desk, next }) => {
        const ids = next(bulk);
        const began = performance.now();
        const { changed } = await desk.changeMany({ ids }, assign(), { dryRun: false });
        if (changed !== bulk) throw new Error(`${changed} of ${bulk} alerts were changed.`);
        return performance.now() - began;
      }),
    }),
  ];
}

interface Alerts extends AsyncDisposable {
  readonly desk: Desk;
  /** Ids of alerts from all over the table, others each time until all of the chosen had their turn. */
  readonly next: (count: number) => readonly string[];
}

let assigned = 0;

/** Always another assignee, so that each one is a change. */
const assign = () => ({ action: { action: "assign", assignee: `person-${++assigned}` }, by }) as const;

async function toggle(desk: Desk, id: string): Promise<void> {
  const result = await desk.change(id, assign());
  if (result.kind !== "changed") throw new Error(`Alert ${id} was not changed: ${result.kind}.`);
}

async function openAlerts(count: number): Promise<Alerts> {
  await using opening = new AsyncDisposableStack();
  const { url } = opening.use(await openStore());
  const sql = opening.adopt(connect(url), (client) => client.end({ timeout: 1 }));
  await insertAlertRows(sql, count);
  const rows = await sql<{ episode_id: string }[]>`
    select episode_id from episodes where status <> 'resolved' order by md5(episode_id::text) limit 2500`;
  const log = createLog({ name: "bench", level: "silent" });
  const postgres = opening.use(await openPostgres({ url, name: "bench", log }));
  let at = 0;
  const opened = opening.move();
  return {
    desk: createDesk({ postgres, now: Date.now, onOutbox: () => undefined }),
    next(wanted) {
      if (at + wanted > rows.length) at = 0;
      at += wanted;
      return rows.slice(at - wanted, at).map(({ episode_id }) => episode_id);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
