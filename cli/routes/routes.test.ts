import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { runCommand } from "../../test/support/command.ts";
import type { Verdict } from "./verdict.ts";

const example = fileURLToPath(new URL("../../routes/routes.example.yaml", import.meta.url));
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "auditflow-routes-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function fileOf(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

async function verdicts(argv: readonly string[], stdin?: string): Promise<readonly Verdict[]> {
  const given = stdin === undefined ? {} : { stdin };
  const { exitCode, out, err } = await runCommand(["routes", "test", ...argv, "-o", "json"], given);
  expect([exitCode, err]).toEqual([0, []]);
  return JSON.parse(out.join("\n")) as readonly Verdict[];
}

describe("routes lint", () => {
  test("ends with 0 for the example, and with 3 for what is missing on this machine", async () => {
    expect(await runCommand(["routes", "lint", "--no-secrets", example])).toEqual({
      exitCode: 0,
      out: [],
      err: ["no problems"],
    });
    const { exitCode, out, err } = await runCommand(["routes", "lint", example]);
    expect([exitCode, err]).toEqual([3, ["2 problems"]]);
    expect(out[0]).toContain(
      "routes.example.yaml:10:12  error    A secret is not there: the variable SLACK_WEBHOOK_URL",
    );
  });

  test("says what is possible, and takes warnings seriously when asked", async () => {
    const wrong = await fileOf("wrong.yaml", "route: {channels: [consol]}\n");
    const { exitCode, out } = await runCommand(["routes", "lint", wrong]);
    expect([exitCode, out]).toEqual([
      3,
      ['wrong.yaml:1:20  error    There is no channel "consol". Possible: console.'],
    ]);
    const unused = await fileOf(
      "unused.yaml",
      "route: {channels: [console]}\nchannels: {c: {type: console}}\n",
    );
    expect((await runCommand(["routes", "lint", unused])).exitCode).toBe(0);
    const strict = await runCommand(["routes", "lint", "--strict", "--json", unused]);
    expect(strict.exitCode).toBe(3);
    expect(strict.out.map((line): unknown => JSON.parse(line))).toMatchObject([
      { severity: "warning", line: 2, column: 12 },
    ]);
  });

  test("asks which file, unless the environment says", async () => {
    expect(await runCommand(["routes", "lint"])).toMatchObject({ exitCode: 2 });
    expect(
      await runCommand(["routes", "lint", "--no-secrets"], { env: { AUDITFLOW_ROUTES: example } }),
    ).toMatchObject({ exitCode: 0 });
    expect(await runCommand(["routes", "lint", "/nowhere.yaml"])).toMatchObject({ exitCode: 2 });
  });
});

describe("routes test", () => {
  test("tells the way, the channels and what is to be expected", async () => {
    const night = ["--at", "2026-11-21T23:00:00Z"];
    expect(await verdicts([example, "--severity", "critical", "--host", "db-1", ...night])).toEqual([
      {
        alert: {
          alert_id: "alert-1",
          alert_name: "An alert",
          severity: "CRITICAL",
          rule_id: "",
          server_hostname: "db-1",
        },
        at: "2026-11-21T23:00:00.000Z",
        inhibited_by: null,
        routes: [
          {
            path: ["root", "critical"],
            channels: ["on-call", "security-chat"],
            group: null,
            held_by: null,
            held_until: null,
            muted_for_good_by: null,
            repeat_interval: "1h",
            messages: [
              {
                at: "2026-11-21T23:00:00.000Z",
                in: "0s",
                kind: "raised",
                channels: ["on-call", "security-chat"],
                step: null,
                muted_by: null,
              },
              {
                at: "2026-11-21T23:15:00.000Z",
                in: "15m",
                kind: "escalated",
                channels: ["on-call"],
                step: 1,
                muted_by: null,
              },
              {
                at: "2026-11-22T00:00:00.000Z",
                in: "1h",
                kind: "repeated",
                channels: ["on-call", "security-chat"],
                step: null,
                muted_by: null,
              },
            ],
          },
        ],
      },
    ]);
  });

  test("tells until when a mute time holds it, in the zone of the mute time", async () => {
    const [verdict] = await verdicts([
      example,
      "--environment",
      "test",
      "--rule",
      "r",
      "--at",
      "2026-11-20T22:30:00Z",
    ]);
    expect(verdict?.routes).toMatchObject([
      { group: { rule: "r" }, held_by: "mute_time/nights", held_until: "2026-11-23T05:00:00.000Z" },
    ]);
    expect(verdict?.routes[0]?.messages).toMatchObject([
      { in: "0s", muted_by: "mute_time/nights" },
      { at: "2026-11-23T05:00:00.000Z", muted_by: null },
    ]);
  });

  describe("a route that is muted for good", () => {
    const at = ["--severity", "critical", "--host", "x", "--at", "2026-11-21T12:00:00Z"];
    const always = 'mute_times: {always-now: {times: ["00:00-24:00"]}}\n';

    test("is told as one, to machines and to people", async () => {
      const file = await fileOf(
        "always.yaml",
        `${always}route: {channels: [console], mute_times: [always-now], repeat_interval: 1h}\n`,
      );
      const [verdict] = await verdicts([file, ...at]);
      expect(verdict?.routes).toMatchObject([
        {
          held_by: "mute_time/always-now",
          held_until: null,
          muted_for_good_by: "mute_time/always-now",
          messages: [{ in: "0s", muted_by: "mute_time/always-now" }],
        },
      ]);
      expect((await runCommand(["routes", "test", file, ...at])).out).toContain(
        "    silent    muted for good by mute_time/always-now: no end within a year",
      );
    });

    test("outside of active times that never hold", async () => {
      const file = await fileOf(
        "never.yaml",
        'mute_times: {no-day: {days_of_month: ["31"], months: [february]}}\n' +
          "route: {channels: [console], active_times: [no-day], escalate: [{after: 1h, channels: [console]}]}\n",
      );
      const [verdict] = await verdicts([file, ...at]);
      expect(verdict?.routes).toMatchObject([
        {
          muted_for_good_by: "active_time/no-day",
          messages: [{ in: "0s", muted_by: "active_time/no-day" }],
        },
      ]);
    });

    test.each(["{every: 366d}", "{at: '08:00', days: [monday]}"])("with the digest %s", async (digest) => {
      const file = await fileOf(
        "digest.yaml",
        `${always}route: {channels: [console], mute_times: [always-now], digest: ${digest}}\n`,
      );
      const [verdict] = await verdicts([file, ...at]);
      expect(verdict?.routes[0]?.messages).toMatchObject([
        { kind: "digest", muted_by: "mute_time/always-now" },
      ]);
    });

    test("and one that repeats to nobody ends, too", async () => {
      const file = await fileOf("nobody.yaml", "route: {channels: [], repeat_interval: 1h}\n");
      const [verdict] = await verdicts([file, ...at]);
      expect(verdict?.routes).toMatchObject([{ muted_for_good_by: null, messages: [] }]);
    });
  });

  test("alerts given together can inhibit each other, from a file, from lines and from standard input", async () => {
    const alerts = [
      { alert_id: "a", severity: "critical", server_hostname: "h" },
      {
        specversion: "1.0",
        data: { alert_id: "b", severity: "MEDIUM", impacted_resource: { server_hostname: "h" } },
      },
    ];
    const lines = alerts.map((alert) => JSON.stringify(alert)).join("\n");
    const expected = [{ inhibited_by: null }, { inhibited_by: { name: "attack", alert_id: "a" } }];
    expect(
      await verdicts([example, "--alert", await fileOf("alerts.json", JSON.stringify(alerts))]),
    ).toMatchObject(expected);
    expect(await verdicts([example, "-f", await fileOf("alerts.ndjson", lines)])).toMatchObject(expected);
    expect(await verdicts([example], lines)).toMatchObject(expected);
    expect(await verdicts([example, "-f", "-"], lines)).toMatchObject(expected);
  });

  test("for people", async () => {
    const { out } = await runCommand([
      "routes",
      "test",
      example,
      "--severity",
      "low",
      "--at",
      "2026-11-21T12:00:00Z",
    ]);
    expect(out).toEqual([
      "alert-1  An alert  LOW  at 2026-11-21T12:00:00.000Z",
      "  root > minor",
      "    channels  security-chat",
      "    group     all alerts of the route",
      "    digest    after 1d19h (2026-11-23T07:00:00.000Z) to security-chat",
    ]);
  });

  test("routes with errors are told and end with 3; a wrong alert ends with 2", async () => {
    const wrong = await fileOf("wrong.yaml", "route: {channels: [consol]}\n");
    const { exitCode, out, err } = await runCommand(["routes", "test", wrong, "--rule", "r"]);
    expect([exitCode, out, err.length]).toEqual([3, [], 1]);
    expect((await runCommand(["routes", "test", example, "--severity", "terrible"])).exitCode).toBe(2);
    expect(
      (await runCommand(["routes", "test", example], { stdin: '{"severity": "low"}\n{' })).err.join(),
    ).toContain("standard input:2");
    expect((await runCommand(["routes", "test", example, "--at", "noon", "--rule", "r"])).exitCode).toBe(2);
  });
});
