import { createServer } from "node:http";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { runCommand } from "./support/command.ts";
import { openTestPipeline, type TestPipeline } from "./support/pipeline.ts";

/** The commands people work with, against a whole pipeline. */
let pipeline: TestPipeline;
beforeAll(async () => (pipeline = await openTestPipeline()));
afterAll(() => pipeline[Symbol.asyncDispose]());

const env = { USER: "ana" };
const auditflow = (argv: readonly string[], stdin?: string) =>
  runCommand([...argv, "--target", pipeline.urlOf("notification")], {
    env,
    ...(stdin === undefined ? {} : { stdin }),
  });

/** Has somebody touch a sensitive file, and answers the id of the alert. */
async function alertAbout(user: string): Promise<string> {
  const response = await fetch(`${pipeline.urlOf("generator")}/events`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      event_type: "file_modified",
      user_id: user,
      action_result: "MODIFIED",
      details: { resource: "/etc/shadow" },
    }),
  });
  expect(response.status).toBe(202);
  return vi.waitFor(
    async () => {
      const { out } = await auditflow(["alerts", "list", `actor:${user}`, "-o", "ndjson"]);
      expect(out).toHaveLength(1);
      return String(parsed(out[0]).alert_id);
    },
    { timeout: 30_000, interval: 50 },
  );
}

function parsed(text = "{}"): Record<string, unknown> & { readonly alert_id?: unknown } {
  return JSON.parse(text) as Record<string, unknown>;
}

test("an alert goes from open to resolved and back, and its history says who and why", async () => {
  const id = await alertAbout("ben");
  expect(await auditflow(["alerts", "ack", id, "-m", "looking"])).toMatchObject({
    exitCode: 0,
    out: ["changed 1 of 1 alert"],
  });
  await auditflow(["alerts", "assign", id, "--to", "cem"]);
  await auditflow(["alerts", "comment", id, "-m", "ben was told to"]);
  await auditflow(["alerts", "resolve", id, "--as", "false-positive", "-m", "planned change"]);
  const again = await auditflow(["alerts", "ack", id]);
  expect(again).toMatchObject({ exitCode: 7, err: [`${id} is resolved: not changed`] });
  await auditflow(["alerts", "reopen", id, "-m", "it was not"]);

  const shown = await auditflow(["alerts", "show", id, "-o", "json"]);
  expect(parsed(shown.out.join("\n"))).toMatchObject({
    status: "open",
    disposition: null,
    assignee: "cem",
    revision: 5,
    history: ["acknowledge", "assign", "comment", "resolve", "reopen"].map((action) =>
      expect.objectContaining({ action, changed_by: { type: "user", id: "ana" } }),
    ),
  });
  const table = (await auditflow(["alerts", "show", id])).out.join("\n");
  expect(table).toMatch(/^History\n[^]*resolve +ana +resolved false_positive +planned change$/m);
});

test("many alerts are changed by a query or from standard input, after a look at how many", async () => {
  const ids = await Promise.all(["dora", "emil", "finn"].map(alertAbout));
  const query = ["--query", "actor:dora,emil,finn"];
  expect(await auditflow(["alerts", "ack", ...query, "--dry-run"])).toMatchObject({
    out: ["would change 3 of 3 alerts"],
  });
  expect(await auditflow(["alerts", "ack", ...query])).toMatchObject({ out: ["changed 3 of 3 alerts"] });
  const listed = await auditflow(["alerts", "list", "is:acknowledged actor:dora,emil,finn", "-o", "ndjson"]);
  const resolved = await auditflow(["alerts", "resolve", "-", "--as", "benign"], listed.out.join("\n"));
  expect(resolved).toMatchObject({ exitCode: 0, out: ["changed 3 of 3 alerts"] });
  const exported = await auditflow(["export", "actor:dora,emil,finn", "--format", "ocsf"]);
  const findings = exported.out.map((line) => parsed(line));
  expect(findings.map(({ class_uid, status_id }) => [class_uid, status_id])).toEqual(
    ids.map(() => [2004, 4]),
  );
});

test("what a silence matches is kept and not told", async () => {
  const preview = await auditflow(["silences", "preview", "actor:gia", "-o", "json"]);
  expect(parsed(preview.out.join("\n"))).toMatchObject({ matched: 0 });
  const created = await auditflow([
    "silences",
    "create",
    "actor:gia",
    "-m",
    "a drill",
    "--for",
    "1h",
    "-o",
    "ndjson",
  ]);
  expect(created).toMatchObject({ exitCode: 0, err: [] });
  const { silence_id } = parsed(created.out[0]);
  const id = await alertAbout("gia");
  const told = await auditflow(["deliveries", "list", "--alert", id, "-o", "ndjson"]);
  expect(told.out.map((line) => parsed(line))).toEqual([
    expect.objectContaining({
      channel: "console",
      status: "muted",
      muted_by: `silence/${String(silence_id)}`,
    }),
  ]);
  expect(await auditflow(["silences", "expire", String(silence_id)])).toMatchObject({ exitCode: 0 });
  expect(await auditflow(["silences", "list"])).toMatchObject({ out: [], err: ["No silences."] });
});

test("a dead letter is seen, and closed with a reason", async () => {
  const refused = await fetch(`${pipeline.urlOf("generator")}/events`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ event_type: "unheard_of" }),
  });
  expect(refused.status).toBe(202);
  const letter = await vi.waitFor(
    async () => {
      const { out } = await auditflow(["dlq", "list", "--code", "EVENT_LOGSOURCE_UNKNOWN", "-o", "ndjson"]);
      expect(out).toHaveLength(1);
      return parsed(out[0]);
    },
    { timeout: 30_000, interval: 50 },
  );
  const id = String(letter["dead_letter_id"] ?? letter["id"]);
  const shown = await auditflow(["dlq", "show", id, "-o", "json"]);
  expect(shown.out.join("\n")).toContain("unheard_of");
  expect(await auditflow(["dlq", "discard", id, "-m", "a typo"])).toMatchObject({ exitCode: 0 });
  expect((await auditflow(["dlq", "list", "--code", "EVENT_LOGSOURCE_UNKNOWN"])).err).toEqual([
    "No dead letters.",
  ]);
});

test.for([
  [["alerts", "show", "9b0c7f0a-7a44-5a0e-8f6a-6a0d8f1d2c3b"], 6],
  [["alerts", "show", "nonsense"], 2],
  [["alerts", "list", "severtiy:high"], 2],
  [["alerts", "ack"], 2],
  [["alerts", "ack", "9b0c7f0a-7a44-5a0e-8f6a-6a0d8f1d2c3b"], 6],
  [["alerts", "assign", "9b0c7f0a-7a44-5a0e-8f6a-6a0d8f1d2c3b"], 2],
  [["alerts", "snooze", "9b0c7f0a-7a44-5a0e-8f6a-6a0d8f1d2c3b", "--for", "soon"], 2],
  [["silences", "create", "actor:x", "-m", "y", "--until", "1999-01-01T00:00:00Z"], 2],
  [["dlq", "show", "9b0c7f0a-7a44-5a0e-8f6a-6a0d8f1d2c3b"], 6],
] as const)("auditflow %j ends with %i and says why", async ([argv, exitCode]) => {
  const result = await auditflow(argv);
  expect(result.exitCode).toBe(exitCode);
  expect(result.err.join("\n")).not.toBe("");
});

test("a mistake in a query is shown with what was meant", async () => {
  const { err } = await auditflow(["alerts", "list", "severtiy:high"]);
  expect(err.join("\n")).toContain("severity");
});

test("an answer that asks for a login says how to give one", async () => {
  const server = createServer((_request, response) => response.writeHead(401).end()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const result = await runCommand(["alerts", "list", "--target", `http://127.0.0.1:${port}`]);
  server.close();
  expect(result).toMatchObject({ exitCode: 5, err: [expect.stringContaining("AUDITFLOW_TOKEN")] });
});

test.for([[["emit", "user_login"]], [["tail"]], [["alerts", "list"]]] as const)(
  "auditflow %j sends the token it is given",
  async ([argv]) => {
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(403, { "content-type": "application/problem+json" }).end('{"detail":"Not you."}');
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const result = await runCommand([...argv, "--target", `http://127.0.0.1:${port}`], {
      env: { AUDITFLOW_TOKEN: "af_secret" },
    });
    server.close();
    expect(seen).toEqual(["Bearer af_secret"]);
    expect(result).toMatchObject({ exitCode: 5, err: [expect.stringContaining("Not you.")] });
    expect(result.err.join("")).not.toContain("af_secret");
  },
);
