import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test, vi } from "vitest";

import { alertRaised, type AlertRaised } from "../events/contracts/alert-raised.ts";
import { auditRecorded } from "../events/contracts/audit-recorded.ts";
import { createEvent } from "../events/envelope.ts";
import { encodeBinary } from "../events/http.ts";
import { compileRules } from "../functions/analysis/rules/compile.ts";
import { openFolder, ruleOf } from "../functions/analysis/rules/folder.testing.ts";
import { publish } from "../functions/analysis/rules/loader.testing.ts";
import { buildPack } from "../functions/analysis/rules/pack-build.ts";
import { openTestDatabase } from "./support/database.ts";
import { spawnFunction } from "./support/pipeline.ts";

const patience = { timeout: 60_000, interval: 20 };
/** Events that are on their way at a time. */
const atOnce = 4;

type Files = Readonly<Record<string, string>>;

/** Both rules of a version hold for every event, and say which version they are of. */
function rulesOf(version: number): Files {
  return {
    "a.yml": ruleOf(`A of ${version}`, `[always, ${version}]`),
    "b.yml": ruleOf(`B of ${version}`, `[always, ${version}]`),
  };
}

function hashOf(files: Files): string {
  const documents = Object.entries(files).map(([file, yaml]) => ({ file, text: yaml }));
  return compileRules(documents).ruleSet.hash;
}

async function packed(files: Files): Promise<Files> {
  await using folder = await openFolder(files);
  const { text: pack = "" } = await buildPack(folder.path, "auditflow test");
  return { "rules.pack.json": pack };
}

const asIs = async (files: Files) => files;
const brokenYaml = async (files: Files) => ({ ...files, "b.yml": "title: [" });
const halfPack = async (files: Files) => {
  const { "rules.pack.json": pack = "" } = await packed(files);
  return { "rules.pack.json": pack.slice(0, pack.length / 2) };
};

test.for([
  { of: "YAML", write: asIs, damage: brokenYaml },
  { of: "a pack", write: packed, damage: halfPack },
] as const)(
  "while a ConfigMap of $of is swapped, every event is judged by exactly one complete rule set",
  async ({ write, damage }) => {
    await using mount = await openFolder();
    await publish(mount.path, 0, await write(rulesOf(0)));
    await using alerts = await openSink();
    await using database = await openTestDatabase();
    await using analysis = await spawnFunction("serve")("analysis", {
      DATABASE_URL: database.url,
      K_SINK: alerts.url,
      AUDITFLOW_RULES_DIR: mount.path,
      AUDITFLOW_FLOOD_LIMIT: "0",
    });
    await using stream = startStream(analysis.url);
    const judgedBy = (version: number) =>
      vi.waitFor(
        () => expect(alerts.received.map(({ rule_set }) => rule_set)).toContain(hashOf(rulesOf(version))),
        patience,
      );

    for (const version of [0, 1, 2, 3]) {
      if (version > 0) await publish(mount.path, version, await write(rulesOf(version)));
      await judgedBy(version);
    }
    await publish(mount.path, 4, await damage(rulesOf(4)));
    await vi.waitFor(async () => expect(await problemsOf(analysis.url)).toBe(1), patience);
    // More than were on their way: the last good set goes on judging.
    const judgedBefore = alerts.received.length + 2 * atOnce;
    await vi.waitFor(() => expect(alerts.received.length).toBeGreaterThan(judgedBefore), patience);
    await publish(mount.path, 5, await write(rulesOf(5)));
    await judgedBy(5);
    await vi.waitFor(async () => expect(await problemsOf(analysis.url)).toBe(0), patience);
    const sent = await stream.stop();

    // The damaged version is told of, once.
    const [told, ...more] = alerts.received.filter(({ alert_type: type }) => type === "PIPELINE");
    expect([told?.alert_name, more]).toEqual(["Rules refused", []]);
    const judged = alerts.received.filter((alert) => alert !== told);
    const byEvent = Map.groupBy(judged, ({ evidence }) => evidence?.[0]?.id ?? "");
    expect(new Set(byEvent.keys())).toEqual(new Set(sent));
    const complete = [0, 1, 2, 3, 5].map((version) => ({
      hash: hashOf(rulesOf(version)),
      names: [`A of ${version}`, `B of ${version}`],
    }));
    for (const raised of byEvent.values()) {
      const { rule_set: hash } = raised[0] ?? {};
      expect(raised.every(({ rule_set }) => rule_set === hash)).toBe(true);
      // An alert may come twice, because an event whose answer was late is sent again.
      const names = [...new Set(raised.map(({ alert_name }) => alert_name))].toSorted();
      expect(complete).toContainEqual({ hash, names });
    }
  },
);

/** Takes the alerts an event gives rise to, as a broker's ingress does. */
async function openSink() {
  const received: AlertRaised[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push(alertRaised.data.parse(JSON.parse(body)));
      return response.writeHead(202).end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Sends events, some at a time, until it is stopped; answers the ids of those that were handled. */
function startStream(url: string) {
  const sent: string[] = [];
  const stopping = new AbortController();
  let next = 0;
  const sendOne = async () => {
    next += 1;
    const id = `e-${next}`;
    const { headers, body } = encodeBinary(
      createEvent(auditRecorded, {
        id,
        source: "/auditflow/source/test",
        time: new Date().toISOString(),
        data: { event_type: "x", logsource: { category: "test" }, details: { a: "always" } },
      }),
    );
    const answer = await fetch(url, { method: "POST", headers, body: new Uint8Array(body) });
    await answer.arrayBuffer();
    // Not ready yet, which a broker tries again.
    if (answer.status === 503) return;
    expect(answer.status).toBe(204);
    sent.push(id);
  };
  const workers = Array.from({ length: atOnce }, async () => {
    while (!stopping.signal.aborted) await sendOne();
  });
  const stop = async () => {
    stopping.abort();
    await Promise.all(workers);
    return sent;
  };
  return { stop, [Symbol.asyncDispose]: async () => void (await stop().catch(() => undefined)) };
}

async function problemsOf(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^auditflow_rule_problems\{[^}]*\} (\d+)$/m.exec(metrics)?.[1]);
}
