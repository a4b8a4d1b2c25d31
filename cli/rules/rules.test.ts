import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { openFolder, ruleOf, type TestFolder } from "../../functions/analysis/rules/folder.testing.ts";
import { runCommand } from "../../test/support/command.ts";

const rule = (title: string, value: string, more = "") =>
  `${ruleOf(title, value)}id: ${title}\ntags: [attack.impact, attack.t1499.001]\n${more}`;
const burst = `---
title: burst
id: burst
level: high
tags: [attack.credential_access, attack.t1110]
correlation: {type: event_count, rules: [b], group-by: [who], timespan: 10s, condition: {gte: 3}}
`;
const cases = (name: string, repeat = 1) => `defaults: {event_type: thing, logsource: {category: test}}
cases:
  - {case: '${name} <alerts>', events: [{at: 0s, a: ${name}, who: ana, repeat: ${repeat}}], expect: [{rule: ${name}}]}
  - {case: 'other', events: [{at: 0s, a: other}], expect: []}
`;
const event = (second: number, a: string, who = "ana") =>
  JSON.stringify({
    event_type: "thing",
    timestamp: `2026-11-21T12:00:${String(second).padStart(2, "0")}Z`,
    logsource: { category: "test" },
    a,
    who,
  });
const events = [event(1, "a"), event(3, "b"), event(5, "b"), event(7, "b"), event(9, "c")].join("\n");

const before = () => openFolder({ "a.yml": rule("a", "a"), "a.cases.yml": cases("a") });
const after = () =>
  openFolder({ "a.yml": rule("a", "c"), "b.yml": `${rule("b", "b", "name: b\n")}${burst}` });

async function withFolders(run: (before: TestFolder, after: TestFolder) => Promise<void>): Promise<void> {
  await using first = await before();
  await using second = await after();
  await run(first, second);
}

describe("rules test", () => {
  test("writes JUnit that names every case, with what failed, and every rule that did not load", async () => {
    await using folder = await openFolder({
      "a.yml": rule("a", "x"),
      "a.cases.yml": cases("a"),
      "bad.yml": "title: bad\n",
    });
    const file = join(folder.path, "report.xml");
    const result = await runCommand(["rules", "test", folder.path, "--format", "junit", "--output", file]);
    expect(result).toMatchObject({ exitCode: 3, out: [] });
    const xml = await readFile(file, "utf8");
    expect(xml).toContain('<testsuites name="auditflow rules" tests="3" failures="2">');
    expect(xml).toContain('<testcase classname="a.yml" name="a &lt;alerts&gt;" file="a.cases.yml" line="3">');
    expect(xml).toContain('<failure message="expected alert a, got none">');
    expect(xml).toContain('<testcase classname="a.yml" name="other" file="a.cases.yml" line="4"/>');
    expect(xml).toContain('<testcase classname="loading" name="bad.yml:1:1" file="bad.yml" line="1">');
  });

  test("a file of cases that cannot be read has no tick", async () => {
    await using folder = await openFolder({ "a.yml": rule("a", "a"), "a.cases.yml": "cases: 5\n" });
    const result = await runCommand(["rules", "test", folder.path]);
    expect(result).toMatchObject({ exitCode: 3, out: ["✗ a.yml  0 cases"] });
    expect(result.err[0]).toContain("RULE_CASES_INVALID");
  });

  test("a pack is not what the commands want, and they say what is", async () => {
    await using folder = await openFolder({ "rules.pack.json": "{}" });
    const result = await runCommand(["rules", "list", join(folder.path, "rules.pack.json")]);
    expect(result.exitCode).toBe(2);
    expect(result.err[0]).toContain("is not a folder of rules. A pack is built from one");
  });

  test("a report that cannot be written is told", async () => {
    await using folder = await before();
    const result = await runCommand(["rules", "test", folder.path, "--output", "/nowhere/report.xml"]);
    expect(result.exitCode).toBe(2);
    expect(result.err.join("\n")).toContain("--output /nowhere/report.xml: ENOENT");
  });
});

describe("rules backtest", () => {
  test("tells what would have alerted, per rule", async () => {
    await withFolders(async (_, folder) => {
      const result = await runCommand(["rules", "backtest", "-", "--rules", folder.path], { stdin: events });
      expect(result).toMatchObject({ exitCode: 0, err: [] });
      const short = ["backtest", "-", "--rules", folder.path];
      expect(await runCommand(short, { stdin: events })).toEqual(result);
      expect(result.out).toEqual([
        "5 events from 2026-11-21T12:00:01.000Z to 2026-11-21T12:00:09.000Z: 2 alerts of 2 rules",
        "RULE   LEVEL  ALERTS  EVENTS  TITLE",
        "a      low    1       1       a",
        "burst  high   1       3       burst",
      ]);
    });
  });

  test("tells what a change of rules changes, and ends with 3 when asked to", async () => {
    await withFolders(async (old, folder) => {
      const argv = ["rules", "backtest", "-", "--rules", folder.path, "--against", old.path];
      const result = await runCommand(argv, { stdin: events });
      expect(result.exitCode).toBe(0);
      expect(result.out.slice(-4)).toEqual([
        "against the rules before: 2 more, 1 fewer, 0 changed, 0 the same",
        "+ 2026-11-21T12:00:03.000Z  burst  burst  (who ana)  3 events",
        "+ 2026-11-21T12:00:09.000Z  a  a  1 event",
        "- 2026-11-21T12:00:01.000Z  a  a  1 event",
      ]);
      expect(await runCommand([...argv, "--exit-code"], { stdin: events })).toMatchObject({ exitCode: 3 });
      const same = ["rules", "backtest", "-", "--rules", old.path, "--against", old.path, "--exit-code"];
      expect(await runCommand(same, { stdin: events })).toMatchObject({ exitCode: 0 });
    });
  });

  test("counts events of one alert that a change adds", async () => {
    await using old = await openFolder({ "b.yml": `${rule("b", "b", "name: b\n")}${burst}` });
    await using folder = await openFolder({ "b.yml": `${rule("b", "'?'", "name: b\n")}${burst}` });
    const argv = ["rules", "backtest", "-", "--rules", folder.path, "--against", old.path, "--json"];
    const [line = "{}"] = (await runCommand(argv, { stdin: events })).out;
    expect(JSON.parse(line)).toMatchObject({
      events: 5,
      difference: {
        same: 0,
        added: [],
        removed: [],
        changed: [{ before: { count: 3 }, after: { count: 5 } }],
      },
    });
  });

  test("a line that is no event is told with its number, and the others are judged", async () => {
    await using folder = await before();
    const stdin = `${event(1, "a")}\n\n{"half":\n${event(2, "a")}`;
    const result = await runCommand(["rules", "backtest", "-", "--rules", folder.path], { stdin });
    expect(result.exitCode).toBe(3);
    expect(result.err).toEqual([expect.stringMatching(/^line 3: refused: .*JSON/)]);
    expect(result.out[0]).toContain("2 events");
  });

  test("lines that are one record of a source are one event", async () => {
    await using folder = await openFolder({
      "a.yml": rule("a", "x")
        .replace("{category: test}", "{product: linux, service: auditd}")
        .replace("{a: x}", "{exe: /usr/bin/id, name: /etc/passwd}"),
    });
    const stdin = [
      'type=SYSCALL msg=audit(1760000000.123:7): arch=c000003e syscall=59 success=yes exe="/usr/bin/id"',
      'type=PATH msg=audit(1760000000.456:8): item=0 name="/etc/passwd"',
      'type=PATH msg=audit(1760000000.123:7): item=0 name="/etc/passwd"',
    ].join("\n");
    const argv = ["rules", "backtest", "-", "--rules", folder.path, "--as", "auditd"];
    const { out, err } = await runCommand(argv, { stdin });
    expect(err).toEqual([]);
    expect(out[0]).toMatch(/^2 events from .*: 1 alerts of 1 rules$/);
  });

  test.for([
    [["-", "--rules", "/nowhere"], '"/nowhere" is not a folder of rules'],
    [["/nowhere.ndjson"], "/nowhere.ndjson: ENOENT"],
  ] as const)("%s is a mistake of the caller", async ([argv, message]) => {
    const result = await runCommand(["rules", "backtest", ...argv]);
    expect(result.exitCode).toBe(2);
    expect(result.err.join("\n")).toContain(message);
  });
});

describe("rules coverage", () => {
  test("counts as proven only what alerted in a case that passed", async () => {
    await using folder = await openFolder({
      "a.yml": rule("a", "a"),
      "a.cases.yml": cases("a"),
      "b.yml": `${rule("b", "b", "name: b\n")}${burst}`,
      "b.cases.yml": cases("burst", 2),
    });
    const { out } = await runCommand(["rules", "coverage", folder.path]);
    expect(out).toContain("impact                1      1");
    expect(out).toContain("credential-access     1      0");
    expect(out).toContain("T1110      0/1     burst (not proven)");
    expect(out).toContain("T1499.001  1/1     a");
    const layer = await runCommand(["rules", "coverage", folder.path, "--format", "navigator"]);
    expect(JSON.parse(layer.out.join("\n"))).toMatchObject({
      domain: "enterprise-attack",
      techniques: [
        { techniqueID: "T1110", score: 0 },
        { techniqueID: "T1499.001", score: 1 },
      ],
    });
  });
});

test("rules bench measures the rules on given events, each on those of its log source", async () => {
  await using folder = await before();
  const file = join(folder.path, "events.ndjson");
  await folder.write("events.ndjson", `${events}\n${JSON.stringify({ event_type: "user_login" })}\n`);
  const result = await runCommand(["rules", "bench", folder.path, "--events", file, "--json"]);
  expect(result).toMatchObject({ exitCode: 0, err: [] });
  const report: unknown = JSON.parse(result.out[0] ?? "{}");
  expect(report).toMatchObject({ rules: 1, events: 6, each: [{ rule: "a", events: 5, matches: 1 }] });
  expect(report).toMatchObject({ matchUs: expect.any(Number), parseUs: expect.any(Number) });
});

describe("rules explain", () => {
  const argv = (folder: TestFolder, rule: string, ...more: readonly string[]) => [
    "rules",
    "explain",
    rule,
    "-",
    "--rules",
    folder.path,
    ...more,
  ];

  test("tells which selection holds, what stood there, and whether the log source fits", async () => {
    await using folder = await before();
    const { out } = await runCommand(argv(folder, "a"), { stdin: event(1, "x") });
    expect(out).toEqual([
      "a  a\ndoes not hold for the event of line 1 (2026-11-21T12:00:01.000Z)",
      '  ✓ log source: rule {"category":"test"}, event {"category":"test"}',
      "  ✗ selection",
      '      ✗ a is like a: found "x"',
    ]);
    const elsewhere = event(1, "a").replace('"category":"test"', '"category":"other"');
    const other = await runCommand(argv(folder, "a"), { stdin: elsewhere });
    expect(other.out[0]).toContain("does not hold");
    expect(other.out[1]).toContain("✗ log source");
    expect(other.out[3]).toContain('✓ a is like a: found "a"');
  });

  test("shows the window of a correlation at the event that is asked for", async () => {
    await withFolders(async (_, folder) => {
      const stdin = `${events}\n${event(6, "b", "bela")}`;
      const third = await runCommand(argv(folder, "burst", "--line", "4"), { stdin });
      expect(third.out[0]).toBe("burst  burst\nfires at the event of line 4 (2026-11-21T12:00:07.000Z)");
      expect(third.out.slice(-4)).toEqual([
        "  ✓ window of who ana: 3 events, number 3",
        "      2026-11-21T12:00:03.000Z  line 2",
        "      2026-11-21T12:00:05.000Z  line 3",
        "      2026-11-21T12:00:07.000Z  line 4",
      ]);
      const second = await runCommand(argv(folder, "burst", "--line", "3", "--json"), { stdin });
      expect(JSON.parse(second.out[0] ?? "{}")).toMatchObject({
        kind: "correlation",
        holds: false,
        windows: [{ group: { who: "ana" }, holds: false, number: 2 }],
      });
      const none = await runCommand(argv(folder, "burst"), { stdin: events });
      expect(none.out.at(-1)).toBe("  The event counts for no group.");
    });
  });

  test.for([
    [["nobody"], 'There is no rule "nobody"'],
    [["a", "--line", "9"], "holds no event in line 9"],
  ] as const)("%s is a mistake of the caller", async ([[rule, ...more], message]) => {
    await using folder = await before();
    const result = await runCommand(argv(folder, rule, ...more), { stdin: event(1, "a") });
    expect(result.exitCode).toBe(2);
    expect(result.err.join("\n")).toContain(message);
  });
});
