import { createLog } from "../../runtime/log.ts";
import { openPostgres } from "../../runtime/postgres/postgres.ts";
import { parseQuery } from "../../functions/notification/query/query.ts";
import { type AlertReader, createAlertReader } from "../../functions/notification/store/list/alert-reader.ts";
import type { ListRequest } from "../../functions/notification/store/list/page.ts";
import { connect } from "../support/database.ts";
import { insertAlertRows } from "./alert-rows.ts";
import { compare, type Report } from "./measure.ts";
import { openStore } from "./store.ts";

const [few, many] = [10_000, 1_000_000];
const rounds = 21;
const unit = "ms";
const aim = { atMost: 2 };

/** Seven of ten alerts; pages of it are read from the index of the order, with hardly a row too many. */
const wide = "severity:>=low -is:acknowledged";
/** Three of a hundred. */
const narrow = "is:open severity:>=high";
const limit = 50;

/** What a list costs with many alerts against what it costs with few. */
export async function run(): Promise<readonly Report[]> {
  await using small = await openAlerts(few);
  await using large = await openAlerts(many);
  const both = { small, large };
  const query = parseQuery(narrow);
  return [
    ...(await comparePages(both)),
    await compareBoth("Facets of four keys over the newest 10,000 that match", {
      both,
      read: ({ reader }) => reader.facets({ query }, ["severity", "rule", "actor", "tag"]),
    }),
    await compareBoth("Histogram over the newest 100,000 that match", {
      both,
      read: ({ reader }) => reader.histogram({ query, buckets: 60 }),
    }),
    await compareBoth("Count as far as 10,000", {
      both,
      read: ({ reader }) => reader.count({ query }, 10_000),
    }),
    await compareBoth("One alert with all about it", {
      both,
      read: ({ reader, id }) => reader.find(id),
      bound: aim,
    }),
  ];
}

type Both = Readonly<Record<"small" | "large", Alerts>>;

async function comparePages(both: Both): Promise<readonly Report[]> {
  const page = (query: string, more: Partial<ListRequest> = {}): ListRequest => ({
    query: parseQuery(query),
    sort: "-last_seen",
    limit,
    ...more,
  });
  const cursors = {
    small: await cursorOf(both.small.reader, page(wide), 100),
    large: await cursorOf(both.large.reader, page(wide), 100),
  };
  const list = (title: string, request: ListRequest, bound?: typeof aim) =>
    compareBoth(title, { both, read: ({ reader }) => reader.list(request), bound });
  const far = (which: keyof Both) => page(wide, { cursor: cursors[which] });
  return [
    await list(`Page 1 of ${limit}, ${wide}`, page(wide), aim),
    await compareBoth(`Page 100 of ${limit}, ${wide}`, {
      both,
      read: ({ reader }, which) => reader.list(far(which)),
      bound: aim,
    }),
    await list(`Page 1, ${narrow}`, page(narrow), aim),
    await list(`Page 1, ${narrow}, gravest first`, page(narrow, { sort: "-severity" }), aim),
    await list("Page 1, one actor in a thousand", page("actor:USER-77"), aim),
    await list("Page 1, words that one alert in fifty has", page('"happened 7 times"')),
    // What grows with the number of alerts that match.
    await list("Page 1, a value of the event, one in a thousand", page("data.user_id:user-77")),
  ];
}

/** Follows the cursors to a page, as a person would. */
async function cursorOf(reader: AlertReader, request: ListRequest, page: number): Promise<string> {
  let cursor: string | undefined;
  for (let at = 1; at < page; at += 1) {
    const { next } = await reader.list({ ...request, cursor });
    if (next === null) throw new Error(`there is no page ${at + 1}`);
    cursor = next;
  }
  return cursor ?? "";
}

interface Reading {
  readonly both: Both;
  readonly read: (alerts: Alerts, which: keyof Both) => Promise<unknown>;
  readonly bound?: typeof aim | undefined;
}

async function compareBoth(title: string, { both, read, bound }: Reading): Promise<Report> {
  const measure = (which: keyof Both) => async () => {
    const began = performance.now();
    await read(both[which], which);
    return performance.now() - began;
  };
  // What was never read comes from the disk, once.
  for (const which of ["small", "large"] as const) await measure(which)();
  return compare(title, {
    rounds,
    unit,
    subjects: [
      { name: `of ${few.toLocaleString("en")} alerts`, measure: measure("small") },
      { name: `of ${many.toLocaleString("en")} alerts`, measure: measure("large"), aim: bound },
    ],
  });
}

interface Alerts extends AsyncDisposable {
  readonly reader: AlertReader;
  /** Of an alert in the middle. */
  readonly id: string;
}

/** A database of its own with so many alerts. */
async function openAlerts(count: number): Promise<Alerts> {
  await using opening = new AsyncDisposableStack();
  const store = opening.use(await openStore());
  const sql = opening.adopt(connect(store.url), (client) => client.end());
  await insertAlertRows(sql, count);
  await sql`vacuum`;
  const log = createLog({ name: "bench", level: "silent" });
  const postgres = opening.use(
    await openPostgres({ url: store.url, name: "bench", log, statementTimeoutMs: 60_000 }),
  );
  const reader = createAlertReader(postgres);
  const page = await reader.list({ query: parseQuery(""), sort: "-timestamp", limit: 500 });
  const id = page.items.at(-1)?.alert_id ?? "";
  const opened = opening.move();
  return { reader, id, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
