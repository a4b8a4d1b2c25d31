import { describe, expect, test } from "vitest";

import type { Logsource } from "../../events/logsource.ts";
import { defineSourceDescription } from "../../events/sources/source.ts";
import { fieldsOf } from "./fields.ts";
import { compileSourceFields } from "./source-fields.ts";

const description = defineSourceDescription({
  name: "till",
  title: "Till",
  logsource: { product: "till" },
  variants: [{ logsource: { category: "sale" }, fields: { Amount: "sum" } }],
  lift: ["extra"],
  ocsf: { class: "base_event" },
  fields: {
    who: "actor.name",
    "till.line.id": "lines.id",
    both: ["first", "second.list"],
    dotted: "a.b",
    "deep.alias": "nested",
  },
  known: [],
});

function added(record: Record<string, unknown>, logsource: Logsource = { product: "till" }) {
  const fields: Record<string, unknown> = Object.assign(Object.create(null), structuredClone(record));
  compileSourceFields([description])(fields, logsource);
  return { ...fields };
}

describe("the names of a log source", () => {
  test.for([
    ["a path", { actor: { name: "dora" } }, { who: "dora" }],
    ["a path through an array", { lines: [{ id: 1 }, {}, { id: 2 }, "odd"] }, { "till.line.id": [1, 2] }],
    ["the first of two paths", { first: "x" }, { both: "x" }],
    ["both of two paths", { first: "x", second: { list: ["y", "z"] } }, { both: ["x", "y", "z"] }],
    ["a key with a dot in it", { "a.b": 1 }, { dotted: 1 }],
    ["an object", { nested: { x: 1 } }, { "deep.alias": { x: 1 } }],
    [
      "members that are lifted",
      { extra: { "proc.name": "sh", kept: 2 }, kept: 1 },
      { "proc.name": "sh", kept: 1 },
    ],
    ["null", { first: null }, { both: null }],
  ] as const)("stand for %s", ([, record, expected]) => {
    expect(added(record)).toEqual({ ...record, ...expected });
  });

  test.for([
    ["under that name", { who: "their own", actor: { name: "dora" } }],
    ["under that name as a path", { till: { line: { id: 7 } }, lines: [{ id: 1 }] }],
    ["and has what is null", { dotted: null, "a.b": 1 }],
  ] as const)("hide nothing the record has %s", ([, record]) => {
    expect(added(record)).toEqual(record);
  });

  test("are absent where the record has nothing to show for them", () => {
    expect(added({ actor: "text", lines: [], second: { other: 1 } })).toEqual({
      actor: "text",
      lines: [],
      second: { other: 1 },
    });
  });

  test.for([
    [{ product: "TILL" }, ["who"]],
    [{ product: "till", category: "Sale" }, ["who", "Amount"]],
    [{ product: "till", category: ["refund", "sale"] }, ["who", "Amount"]],
    [{ product: "till", category: ["refund"] }, ["who"]],
    [{ product: "other", category: "sale" }, []],
    [{ category: "sale" }, []],
    [{}, []],
  ] as const)("are those of %o", ([logsource, names]) => {
    const record = { actor: { name: "dora" }, sum: 3 };
    expect(Object.keys(added(record, logsource))).toEqual(["actor", "sum", ...names]);
  });
});

describe("an event of a known source", () => {
  test("has an object its derived names hide below those names", () => {
    const original = {
      actor: { alternateId: "dora@example.com", type: "User" },
      outcome: { result: "FAILURE" },
      resource: { type: "gcs_bucket", labels: { project_id: "till" } },
    };
    const fields = fieldsOf({
      event_type: "okta.x",
      user_id: "dora",
      action_result: "FAILURE",
      resource: "buckets/a",
      original,
    });
    expect(fields).toMatchObject({
      actor: "dora",
      outcome: "failure",
      resource: "buckets/a",
      "actor.alternateId": "dora@example.com",
      "outcome.result": "FAILURE",
      "resource.labels": { project_id: "till" },
    });
  });

  test("has a path as it was written beside the one that is compared", () => {
    const fields = fieldsOf({
      event_type: "web.get",
      resource: "/a/../etc/passwd",
      details: { uri: "/a/../etc/passwd?x=1", query: "x=1" },
      logsource: { category: "webserver" },
    });
    expect(fields["resource"]).toBe("/etc/passwd");
    expect(fields["cs-uri-query"]).toEqual(["/a/../etc/passwd?x=1", "x=1"]);
  });

  test("with names of the prototype is read like any other", () => {
    const original: unknown = JSON.parse(
      '{"__proto__": {"who": 1}, "actor": {"__proto__": {"x": 1}, "a": 1}}',
    );
    const fields = fieldsOf({ event_type: "user_login", user_id: "root", original });
    expect(fields["who"]).toBeUndefined();
    expect(fields["actor.a"]).toBe(1);
    expect(Object.getPrototypeOf(fields)).toBeNull();
    expect(({} as Record<string, unknown>)["who"]).toBeUndefined();
  });
});
