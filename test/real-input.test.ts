import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { runCommand } from "./support/command.ts";
import { openTestPipeline } from "./support/pipeline.ts";

test("a recorded sshd raises exactly the alerts it should", async () => {
  await using pipeline = await openTestPipeline();
  const target = pipeline.urlOf("generator");

  const sent = await runCommand([
    "emit",
    "--file",
    "test/corpus/sshd/sshd.log",
    "--as",
    "sshd",
    "--target",
    target,
  ]);
  expect(sent).toMatchObject({ exitCode: 0, err: [expect.stringContaining("32 accepted, 0 refused")] });
  await pipeline.settled(32);

  const alerts = (await pipeline.alerts()).map(({ rule_id, actor_id, count }) => ({
    rule_id,
    actor_id,
    count,
  }));
  expect(alerts.toSorted((a, b) => (a.rule_id < b.rule_id ? -1 : 1))).toEqual([
    { rule_id: "ANLY-SEC-001", actor_id: "root", count: 6 },
    { rule_id: "SSHD-001", actor_id: "127.0.0.1", count: 10 },
    { rule_id: "SSHD-002", actor_id: "root", count: 1 },
  ]);

  // The same file again is the same events: nothing new is accepted and nothing is raised.
  await runCommand(["emit", "--file", "test/corpus/sshd/sshd.log", "--as", "sshd", "--target", target]);
  await pipeline.settled(32);
  expect(await pipeline.alerts()).toHaveLength(alerts.length);
});

const corpus = process.env["AUDITFLOW_REAL_EVENTS"];

describe.skipIf(corpus === undefined)("recorded events in AUDITFLOW_REAL_EVENTS", () => {
  const files = corpus === undefined ? [] : readdirSync(corpus).filter((name) => name.endsWith(".ndjson"));

  test.for(files)("%s goes through without a rejection", async (file) => {
    await using pipeline = await openTestPipeline();
    const path = join(corpus ?? "", file);
    const sent = await runCommand([
      "emit",
      "--file",
      path,
      "--json",
      "--target",
      pipeline.urlOf("generator"),
    ]);
    const refused = sent.out.filter((line) => !line.includes('"status":202'));
    expect(refused).toEqual([]);
    expect(sent.exitCode).toBe(0);
    const accepted = (await pipeline.ledger.counts()).accepted;
    expect(accepted).toBeGreaterThan(0);
    await pipeline.settled(accepted);
    expect((await pipeline.ledger.counts()).rejected).toBe(0);
  });
});
