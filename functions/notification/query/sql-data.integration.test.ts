import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { deriveUuid } from "../../../events/identity.ts";
import { connect, openTestDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { parseQuery } from "./query.ts";
import { toCondition } from "./sql.ts";

let database: TestDatabase;
let sql: ReturnType<typeof connect>;

/** What the events behind the alerts say, by the name of the alert. */
const events = {
  plain: {
    user: "Root",
    geo: { country: "CN" },
    port: 22,
    ok: true,
    "odd key": "x",
    list: ["a", "b", 3],
    gone: null,
  },
  other: {
    user: "admin",
    geo: { country: "DE", city: "Ulm%" },
    port: 2222,
    ok: false,
    list: [{ name: "a" }],
  },
  texts: { user: "22", geo: "CN", port: "22", ok: "true", list: [], price: 0.5, quoted: "say \"hi\" \\ 'x'" },
  empty: {},
};

beforeAll(async () => {
  database = await openTestDatabase();
  sql = connect(database.url);
  for (const [name, event] of Object.entries(events)) {
    const columns = sql`alert_name, alert_type, severity, description, rule_id, rule_name, action_observed`;
    const values = sql`${name}, 'SECURITY', 'LOW', 'x', 'r', 'r', 'x'`;
    const id = deriveUuid("data", name);
    const at = sql`timestamptz '2026-11-21 12:00:00Z'`;
    await sql`
      insert into alerts (alert_id, timestamp, received_at, group_id, first_seen, last_seen, emission_count,
        emission_key, correlated_at, analysis_rule_details, triggered_by_details, impacted_resource_details, metadata,
        raw_event_data, ${columns})
      select ${id}, ${at}, ${at}, ${id}, ${at}, ${at}, 1, 'x', ${at}, '{}', '{}', '{}', '{}',
        ${JSON.stringify(event)}::text::jsonb, ${values}`;
    await sql`
      insert into episodes (episode_id, timestamp, received_at, group_id, first_seen, last_seen, count, ${columns})
      select ${id}, ${at}, ${at}, ${id}, ${at}, ${at}, 1, ${values}`;
  }
});
afterAll(async () => {
  await sql.end();
  await database[Symbol.asyncDispose]();
});

async function found(text: string): Promise<string> {
  const rows = await sql<{ name: string }[]>`
    select alert_name as name from episodes as episode where ${toCondition(sql, parseQuery(text), Date.now())}
    order by array_position(array['plain', 'other', 'texts', 'empty'], alert_name)`;
  return rows.map(({ name }) => name).join(" ");
}

describe("event data", () => {
  test.for([
    ["data.user:Root", "plain"],
    ["data.user:root", ""],
    ["data.user:admin,Root", "plain other"],
    ["data.geo.country:CN", "plain"],
    ["data.geo:CN", "texts"],
    ["-data.geo.country:CN", "other texts empty"],
    ["data.geo.country!=CN", "other texts empty"],
    ["data.port:22", "plain texts"],
    ["data.user:22", "texts"],
    ["data.ok:true", "plain texts"],
    ["data.ok:false", "other"],
    ["data.price:0.5", "texts"],
    ["data.list:a", "plain"],
    ["data.list:3", "plain"],
    ["data.list.0:a", "plain"],
    ["data.list.0.name:a", "other"],
    ["data.user:R*t", "plain"],
    ["data.user:r*t", ""],
    ["data.user:*", "plain other texts"],
    ['data.geo.city:"Ulm%"', "other"],
    ["data.geo.city:U*%", "other"],
    ["data.geo.city:%*", ""],
    ["data.list:b*", "plain"],
    ["data.geo:*", "texts"],
    ["data.user:~^[A-Z]", "plain"],
    ["data.user:~(?i)ROOT", "plain"],
    ["data.user=~oo", ""],
    ["data.user=~.*oo.*", "plain"],
    ["data.list:~^b$", "plain"],
    ["data.port:>22", "other"],
    ["data.port:>=22", "plain other"],
    ["data.port:<=22", "plain"],
    ["data.price:<1", "texts"],
    ["data.list:>2", "plain"],
    ["-data.port:>22", "plain texts empty"],
    ["has:data.user", "plain other texts"],
    ["has:data.gone", ""],
    ["-has:data.geo.city", "plain texts empty"],
    ['data.quoted:"say \\"hi\\" \\\\ \'x\'"', "texts"],
    ["(data.user:Root OR data.port:2222) -name:other", "plain"],
    ["data.constructor:x", ""],
    ["data.__proto__:x", ""],
  ] as const)("%s finds %s", async ([text, names]) => {
    expect(await found(text)).toBe(names);
  });

  test("a whole value is looked up in the index of the event data", async () => {
    const plan = await sql.begin(async (transaction) => {
      await transaction`set local enable_seqscan = off`;
      return await transaction<{ "QUERY PLAN": string }[]>`
        explain select from episodes as episode
        where ${toCondition(transaction, parseQuery("data.geo.country:CN"), Date.now())}`;
    });
    expect(plan.map((row) => row["QUERY PLAN"]).join("\n")).toContain("raw_event_data_idx");
  });
});
