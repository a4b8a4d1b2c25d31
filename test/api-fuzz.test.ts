import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { notification } from "../functions/notification/function.ts";
import { createSeededRandom } from "../runtime/failpoints.ts";
import { createLog } from "../runtime/log.ts";
import { serve, type Served } from "../runtime/serve.ts";
import { insertAlertRows } from "./bench/alert-rows.ts";
import { type Document, operationsOf } from "./support/api-fuzz/document.ts";
import { createJudge, type Judge } from "./support/api-fuzz/judge.ts";
import { brokenRequest, type FuzzRequest, send, show, validRequest } from "./support/api-fuzz/requests.ts";
import type { Chance, Known } from "./support/api-fuzz/values.ts";
import { connect, openTestDatabase, type TestDatabase } from "./support/database.ts";

/** Another one is tried with every change of it; what it found once is kept in tests of its own. */
const seed = Number(process.env["AUDITFLOW_FUZZ_SEED"] ?? 1);
const requestsEach = 40;

const document = JSON.parse(readFileSync("schemas/openapi.json", "utf8")) as Document;
const operations = operationsOf(document);
const log = createLog({ name: "test", level: "silent" });

let database: TestDatabase;
let served: Served;
let known: Known;
let judge: Judge;

beforeAll(async () => {
  database = await openTestDatabase();
  known = await fill(database.url);
  const env = { DATABASE_URL: database.url, AUDITFLOW_API_RATE: "0" };
  served = await serve(notification, {
    env,
    port: 0,
    host: "127.0.0.1",
    overrides: { log, sink: async () => undefined },
  });
  judge = createJudge(document);
});
afterAll(async () => {
  await served[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

/** Something of everything, so that requests find what they ask for; answers its ids. */
async function fill(url: string): Promise<Known> {
  const sql = connect(url);
  try {
    await insertAlertRows(sql, 300);
    const ids = async (query: Promise<readonly { readonly id: string }[]>) =>
      (await query).map(({ id }) => id);
    const alert_id = await ids(
      sql`select episode_id as id from episodes where status <> 'resolved' order by episode_id`,
    );
    const silence_id = await ids(sql`
      insert into silences (silence_id, query, author, comment, starts_at, ends_at)
      select gen_random_uuid(), 'rule:rule-' || n, 'ana', 'c', now(), now() + n * interval '1 day'
      from generate_series(1, 100) as n returning silence_id as id`);
    const dead_letter_id = await ids(sql`
      insert into dead_letters (dead_letter_id, kind, code, detail, origin, event_source, event_id, headers, body)
      select gen_random_uuid(), case n % 2 when 0 then 'rejected' else 'undeliverable' end, 'EVENT_DATA_INVALID',
        'It was not valid.', 'http://127.0.0.1:9/', '/test', 'e' || n,
        jsonb_build_object('ce-specversion', '1.0', 'ce-id', 'e' || n, 'ce-source', '/test', 'ce-type', 't'), '{}'
      from generate_series(1, 30) as n returning dead_letter_id as id`);
    const key_id = await ids(sql`
      insert into api_keys (key_id, prefix, name, scopes, hash)
      select gen_random_uuid(), 'af_' || n, 'key ' || n, '{viewer}', 'h' from generate_series(1, 10) as n
      returning key_id as id`);
    const delivery_id = await ids(sql`
      insert into deliveries (delivery_id, alert_ids, channel, kind, message, status)
      select gen_random_uuid(), array[${alert_id[0] ?? ""}::uuid], 'gone', 'raised',
        '{"type": "alert.raised", "timestamp": "2026-11-21T12:00:00Z", "data": {}}',
        (array['delivered', 'failed', 'muted', 'discarded'])[1 + n % 4]
      from generate_series(1, 40) as n returning delivery_id as id`);
    // Bulk changes have alerts of their own, so that those of single ones are not all resolved.
    const few = [0, 3, 6, 9].map((n) => alert_id.slice(n, n + 3));
    return {
      ...samples,
      alert_id: alert_id.slice(12),
      silence_id,
      dead_letter_id,
      key_id,
      delivery_id,
      ids: few,
    };
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Values that lead somewhere, by the name of the parameter or member. */
const samples: Known = {
  q: [
    "is:open",
    "severity:>=high",
    "rule:rule-1,rule-2",
    "actor:user-* -is:resolved",
    "seen:<15d",
    "data.user_id:root",
    '"failed"',
  ],
  query: ["rule:rule-3", "host:host-7 severity:low", "is:snoozed", "count:>100"],
  from: ["now-30d", "2026-01-01T00:00:00Z"],
  to: ["now", "2099-01-01T00:00:00Z"],
  by: ["ana", "bob@example.com"],
  name: ["console", "nowhere"],
  "If-Match": ["*", "*", "*", '"0.1"', '"1.99"', 'W/"2.3"'],
  "If-None-Match": ["*", '"0.1"'],
};

/** Sends requests made by chance; tells each answer that is not right, and how many were successes. */
async function fuzz(make: (chance: Chance) => FuzzRequest, chance: Chance) {
  const wrong: string[] = [];
  let successes = 0;
  for (let n = 0; n < requestsEach; n++) {
    const request = make(chance);
    const response = await send(served.url, request);
    if (response.ok) successes += 1;
    const fault = await judge(request, response);
    if (fault !== undefined) wrong.push(`${fault}\n  seed ${seed}, request ${n}: ${show(request)}`);
  }
  return { wrong, successes };
}

const chanceOf = (id: string): Chance => ({
  random: createSeededRandom(seed * 1000 + operations.findIndex((operation) => operation.id === id)),
  known,
  // Nobody is asked for a credential here.
  always: new Set(["by"]),
  document,
});

describe("requests made from the OpenAPI document", () => {
  test("there is an operation to try", () => expect(operations.length).toBeGreaterThan(20));

  test.for(operations.map((operation) => [operation.id, operation] as const))(
    "%s: what is allowed is answered as documented",
    async ([id, operation]) => {
      const { wrong, successes } = await fuzz((chance) => validRequest(operation, chance), chanceOf(id));
      expect(wrong).toEqual([]);
      // Requests that all lead to refusals would try nothing.
      expect(successes).toBeGreaterThan(requestsEach / 10);
    },
  );

  test.for(operations.map((operation) => [operation.id, operation] as const))(
    "%s: what is wrong is refused by a problem of the catalogue",
    async ([id, operation]) => {
      const { wrong, successes } = await fuzz((chance) => brokenRequest(operation, chance), chanceOf(id));
      expect([wrong, successes]).toEqual([[], 0]);
    },
  );
});
