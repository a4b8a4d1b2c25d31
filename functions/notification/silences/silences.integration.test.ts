import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createLog } from "../../../runtime/log.ts";
import { openPostgres, type Postgres } from "../../../runtime/postgres/postgres.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { sightingEmission } from "../emissions.testing.ts";
import { parseQuery } from "../query/query.ts";
import { writeAlerts } from "../store/write-alerts.ts";
import { createActiveSilences } from "./active.ts";
import { isActive, maxActive, type NewSilence, SilenceError } from "./silence.ts";
import { createSilences, type Silences } from "./silences.ts";

let database: TestDatabase;
let postgres: Postgres;
let silences: Silences;
const hour = 3_600_000;
const start = Date.parse("2026-11-21T12:00:00Z");
let now = start;

beforeAll(async () => {
  const log = createLog({ name: "test", level: "silent" });
  database = await openTestDatabase();
  postgres = await openPostgres({ url: database.url, name: "test", log });
  silences = createSilences({ postgres, newId: randomUUID, now: () => now });
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => {
  now = start;
  await postgres.sql`truncate silences, alerts, alert_evidence, episodes`;
});

const wanted = (change: Partial<NewSilence> = {}): NewSilence => ({
  query: "host:edge-2",
  author: "ana",
  comment: "planned maintenance",
  endsAt: start + hour,
  ...change,
});

const readActive = createActiveSilences();
const activeIds = async () => (await readActive(postgres.sql, now)).map(({ silence_id }) => silence_id);

describe("a silence", () => {
  test("is in force from its start to its end, and kept afterwards", async () => {
    const made = await silences.create(wanted({ startsAt: start + 1000 }));
    expect(made).toMatchObject({
      query: "host:edge-2",
      author: "ana",
      comment: "planned maintenance",
      starts_at: "2026-11-21T12:00:01.000Z",
      ends_at: "2026-11-21T13:00:00.000Z",
      expired_by: null,
      expired_at: null,
    });
    const states: boolean[] = [];
    for (const at of [start, start + 1000, start + hour - 1, start + hour]) {
      now = at;
      states.push(isActive(made, now));
      expect(await activeIds()).toEqual(isActive(made, now) ? [made.silence_id] : []);
    }
    expect(states).toEqual([false, true, true, false]);
    expect(await silences.find(made.silence_id)).toEqual(made);
    expect(await silences.list({ active: true })).toEqual([]);
    expect(await silences.list({ active: false })).toEqual([made]);
    expect(await silences.list()).toEqual([made]);
  });

  test("can be ended before its time, once, and tells by whom", async () => {
    const { silence_id: id } = await silences.create(wanted());
    now += 1000;
    const ended = { expired_by: "ben", expired_at: "2026-11-21T12:00:01.000Z" };
    expect(await silences.expire(id, "ben")).toMatchObject({ kind: "expired", silence: ended });
    expect(await activeIds()).toEqual([]);
    expect(await silences.expire(id, "carla")).toMatchObject({ kind: "over", silence: ended });
    expect(await silences.expire(randomUUID(), "ben")).toEqual({ kind: "not-found" });
    expect(await silences.expire("no id", "ben")).toEqual({ kind: "not-found" });
    expect(await silences.find("no id")).toBeUndefined();
  });

  test("is ended also by somebody whose name a database cannot hold", async () => {
    const { silence_id: id } = await silences.create(wanted());
    expect(await silences.expire(id, "b\u0000n\ud800")).toMatchObject({
      kind: "expired",
      silence: { expired_by: "b\ufffdn\ufffd" },
    });
  });

  test.for<[string, Partial<NewSilence>, string]>([
    ["an empty query", { query: " " }, "/query"],
    ["a query about the data of events", { query: "data.user_id:root" }, "/query"],
    ["a query without end", { query: `host:${"x".repeat(5000)}` }, "/query"],
    ["nobody as its author", { author: " " }, "/author"],
    ["no comment", { comment: "" }, "/comment"],
    ["an endless comment", { comment: "x".repeat(4097) }, "/comment"],
    ["an end that has passed", { endsAt: start }, "/ends_at"],
    ["an end before its start", { startsAt: start + 2 * hour }, "/ends_at"],
    ["an end in years", { endsAt: start + 367 * 24 * hour }, "/ends_at"],
    ["no end", { endsAt: Number.NaN }, "/ends_at"],
    ["a start in years", { startsAt: start + 367 * 24 * hour }, "/starts_at"],
  ])("with %s is refused", async ([, change, pointer]) => {
    const creating = silences.create(wanted(change));
    await expect(creating).rejects.toThrow(SilenceError);
    await expect(creating).rejects.toMatchObject({ pointer });
  });

  test("with a broken query is refused by the language", async () => {
    await expect(silences.create(wanted({ query: "severity:>>" }))).rejects.toMatchObject({
      name: "QueryError",
    });
  });

  test("whose query nobody understands any more mutes nothing, and takes no other with it", async () => {
    await postgres.sql`
      insert into silences (silence_id, query, author, comment, starts_at, ends_at)
      values (${randomUUID()}, 'severity:>>', 'ana', 'old', '2026-01-01', '2027-01-01')`;
    const { silence_id } = await silences.create(wanted());
    expect(await activeIds()).toEqual([silence_id]);
  });

  test("is one too many when there are a thousand, also when two come at once", async () => {
    await postgres.sql`
      insert into silences (silence_id, query, author, comment, starts_at, ends_at)
      select gen_random_uuid(), 'host:edge-2', 'ana', 'many', '2026-01-01', '2027-01-01'
      from generate_series(2, ${maxActive}::integer)`;
    const results = await Promise.allSettled([silences.create(wanted()), silences.create(wanted())]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    await expect(silences.create(wanted())).rejects.toMatchObject({ name: "SilenceError", pointer: null });
  });
});

test("a preview counts, samples the newest and tells which would have been missed", async () => {
  const emissions = Array.from({ length: 12 }, (_, group) =>
    sightingEmission({ alert: 1, group, events: [group] }, "preview"),
  );
  await postgres.transaction((sql) => writeAlerts(sql, emissions));
  const ids = emissions.map(({ alertId }) => alertId);
  await postgres.sql`
    update episodes set status = 'resolved', disposition = 'true_positive'
    where episode_id in ${postgres.sql(ids.slice(3, 6))}`;
  await postgres.sql`update episodes set status = 'suppressed' where episode_id = ${ids[11]!}`;
  const all = await silences.preview(parseQuery("host:edge-2"));
  expect(all).toMatchObject({ matched: 11, capped: false, true_positives: 3 });
  expect(all.sample.map(({ alert_id }) => alert_id)).toEqual(ids.slice(6, 11).toReversed());
  const range = { from: start + 4000, to: start + 8000 };
  expect(await silences.preview(parseQuery(""), range)).toMatchObject({ matched: 4, true_positives: 2 });
  expect(await silences.preview(parseQuery("host:elsewhere"))).toEqual({
    matched: 0,
    capped: false,
    true_positives: 0,
    sample: [],
  });
});

test("a preview counts no further than ten thousand", async () => {
  await postgres.transaction((sql) =>
    writeAlerts(sql, [sightingEmission({ alert: 1, group: 0, events: [1] })]),
  );
  await postgres.sql`
    insert into episodes (episode_id, received_at, group_id, timestamp, first_seen, last_seen, count,
      alert_name, alert_type, severity, description, rule_id, rule_name, action_observed)
    select gen_random_uuid(), received_at, group_id, timestamp, first_seen, last_seen, count,
      alert_name, alert_type, severity, description, rule_id, rule_name, action_observed
    from episodes, generate_series(1, 9999)`;
  expect(await silences.preview(parseQuery(""))).toMatchObject({ matched: 10_000, capped: false });
  await postgres.sql`
    insert into episodes (episode_id, received_at, group_id, timestamp, first_seen, last_seen, count,
      alert_name, alert_type, severity, description, rule_id, rule_name, action_observed)
    select gen_random_uuid(), received_at, group_id, timestamp, first_seen, last_seen, count,
      alert_name, alert_type, severity, description, rule_id, rule_name, action_observed
    from episodes limit 1`;
  expect(await silences.preview(parseQuery(""))).toMatchObject({ matched: 10_000, capped: true });
});
