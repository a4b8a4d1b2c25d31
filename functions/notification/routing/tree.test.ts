import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { severities } from "../alert-view.ts";
import { inhibitedBy } from "./inhibit.ts";
import { groupOf, planOccasion } from "./plan.ts";
import { allRoutes, type Route } from "./routes.ts";
import { alertOf, routesOf } from "./routing.testing.ts";
import { leafOf, pathsOf } from "./tree.ts";

const now = Date.parse("2026-11-21T12:00:00Z");
const routes = routesOf(`
route:
  channels: [console]
  routes:
    - {name: critical, match: 'severity:critical', channels: [pager], continue: true}
    - name: production
      match: 'env:production'
      channels: [chat]
      routes:
        - {name: databases, match: 'host:db-*'}
        - {name: edges, match: 'host:edge-*', continue: true}
        - {name: ssh, match: 'source:sshd'}
    - {name: rest, match: 'rule:x'}
`);
const namesOf = (change: Parameters<typeof alertOf>[0]) =>
  pathsOf(routes.root, alertOf(change), now).map((path) => leafOf(path).name);

describe("the routes an alert takes", () => {
  test.each([
    [{ severity: "LOW", environment: "test" }, ["root"]],
    [{ severity: "CRITICAL", environment: "test" }, ["critical"]],
    [{ severity: "LOW", server_hostname: "db-1" }, ["databases"]],
    [{ severity: "CRITICAL", server_hostname: "db-1" }, ["critical", "databases"]],
    [{ severity: "LOW", server_hostname: "edge-1" }, ["edges", "ssh"]],
    [{ severity: "LOW", server_hostname: "edge-1", source_service_name: "x" }, ["edges"]],
    [{ severity: "LOW", server_hostname: "x", source_service_name: "x" }, ["production"]],
  ] as const)("of %j are %j", (change, expected) => {
    expect(namesOf(change)).toEqual(expected);
  });

  const tree = (depth: number): fc.Arbitrary<Route> =>
    fc
      .record({
        match: fc.constantFrom(undefined, ...routes.root.routes.map(({ match }) => match)),
        continue: fc.boolean(),
        routes: depth === 0 ? fc.constant([]) : fc.array(tree(depth - 1), { maxLength: 3 }),
      })
      .map((change) => ({ ...routes.root, ...change }));

  test("are at least one, each once, and lead from the root through nodes that match", () => {
    fc.assert(
      fc.property(tree(3), fc.constantFrom(...severities), (root, severity) => {
        const paths = pathsOf(root, alertOf({ severity }), now);
        expect(paths.length).toBeGreaterThan(0);
        expect(new Set(paths.map(leafOf)).size).toBe(paths.length);
        for (const path of paths) {
          expect(path[0]).toBe(root);
          for (const [index, node] of path.slice(1).entries()) expect(path[index]?.routes).toContain(node);
        }
      }),
    );
  });
});

test("a route without a name keeps the one that follows from what it matches, wherever it stands", () => {
  const named = (children: string) =>
    allRoutes(routesOf(`route: {channels: [], routes: [${children}]}`).root).map(({ name }) => name);
  expect(named("{match: 'severity:high'}, {match: 'host:a', routes: [{match: 'rule:x'}]}")).toEqual([
    "root",
    "root/severity:high",
    "root/host:a",
    "root/host:a/rule:x",
  ]);
  expect(named("{match: 'host:b', continue: true}, {match: 'severity:high'}")).toContain(
    "root/severity:high",
  );
});

test("what a route does not say is as the one above says it", () => {
  const { root } = routesOf(`
mute_times: {nights: {times: ['22:00-06:00']}}
route:
  channels: [chat]
  group_by: [host]
  repeat_interval: 4h
  mute_times: [nights]
  escalate: [{after: 15m, channels: [pager]}]
  routes:
    - {match: 'rule:a'}
    - {match: 'rule:b', group_by: ['...'], repeat_interval: never, mute_times: [], escalate: [], channels: []}
    - {match: 'rule:c', digest: {every: 24h}}`);
  const [same, other, digest] = root.routes;
  expect({ ...same, name: root.name, match: undefined, routes: root.routes }).toEqual(root);
  expect(other).toMatchObject({
    groupBy: "alone",
    groupWaitMs: 0,
    muteTimes: [],
    escalate: [],
    channels: [],
  });
  expect(other?.repeatIntervalMs).toBeUndefined();
  expect(digest).toMatchObject({ groupBy: [], digest: { everyMs: 86_400_000 } });
});

test("alerts are grouped by the values of fields, in whatever order those are written", () => {
  const [a, b] = ["[host, rule]", "[rule, host]"].map(
    (fields) => routesOf(`route: {channels: [], group_by: ${fields}}`).root,
  );
  expect(groupOf(a!, alertOf()).id).toBe(groupOf(b!, alertOf()).id);
  expect(groupOf(a!, alertOf()).values).toEqual({ host: "edge-2", rule: "login-burst" });
  expect(groupOf(a!, alertOf({ server_hostname: null })).values["host"]).toBe("");
  expect(groupOf(a!, alertOf({ severity: "LOW" })).id).toBe(groupOf(a!, alertOf()).id);
  expect(groupOf(a!, alertOf({ server_hostname: "other" })).id).not.toBe(groupOf(a!, alertOf()).id);
});

describe("inhibition", () => {
  const { inhibitions } = routesOf(`
inhibit:
  - {name: host-down, source: 'rule:host-down', target: 'severity:<=high', equal: [host]}
route: {channels: []}`);
  const source = alertOf({ alert_id: "source", rule_id: "host-down", severity: "HIGH" });
  const judge = (change: Parameters<typeof alertOf>[0]) =>
    inhibitedBy(inhibitions, alertOf(change), { sources: new Map([["host-down", [source]]]), now })?.name;

  test("mutes targets that agree with the source, and never sources", () => {
    expect(judge({})).toBe("host-down");
    expect(judge({ server_hostname: "other" })).toBeUndefined();
    expect(judge({ severity: "CRITICAL" })).toBeUndefined();
    expect(judge({ rule_id: "host-down" })).toBeUndefined();
    expect(judge({ ...source })).toBeUndefined();
  });
});

test("a plan says when and to whom, with every step", () => {
  const { root: _root, ...rest } = routesOf(`
mute_times: {nights: {times: ['22:00-06:00']}}
route: {channels: [chat], mute_times: [nights], escalate: [{after: 15m, channels: [pager]}]}`);
  const [plan] = planOccasion(
    { root: _root, ...rest },
    { kind: "raised", alert: alertOf() },
    { now, mutingOf: () => undefined },
  );
  expect(plan?.decision).toMatchObject({ messages: [{ kind: "raised" }], dueAt: now + 15 * 60_000 });
  const night = Date.parse("2026-11-21T23:00:00Z");
  const [held] = planOccasion(
    { root: _root, ...rest },
    { kind: "raised", alert: alertOf() },
    { now: night, mutingOf: () => undefined },
  );
  expect(held).toMatchObject({ hold: { by: "mute_time/nights", until: Date.parse("2026-11-22T06:00:00Z") } });
});
