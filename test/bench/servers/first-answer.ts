import { readFileSync } from "node:fs";

import { openRules } from "../../../functions/analysis/rules/loader.ts";
import type { EventLogsource } from "../../../functions/analysis/sigma/language/logsource.ts";
import { createLog } from "../../../runtime/log.ts";
import { createMetrics } from "../../../runtime/metrics.ts";

const log = createLog({ name: "bench", level: "silent" });
const metrics = createMetrics("bench");

/**
 * One cold start of detection: opens rules and judges one event, then says on stdout what that cost, as
 * JSON; or parses the file as JSON, for comparison. Arguments: `parse` or `open`, the path, and for `open`
 * the event and its log source as JSON.
 */
async function main([mode, path = "", event = "", logsource = ""]: readonly string[]): Promise<void> {
  const started = { thread: process.threadCpuUsage(), all: process.cpuUsage() };
  const answer = mode === "parse" ? parse(path) : await open(path, event, logsource);
  const thread = process.threadCpuUsage(started.thread);
  const all = process.cpuUsage(started.all);
  process.stdout.write(
    JSON.stringify({
      ...answer,
      threadMs: (thread.user + thread.system) / 1000,
      allMs: (all.user + all.system) / 1000,
      rssMib: process.memoryUsage.rss() / 2 ** 20,
    }),
  );
  // The watch begins later; nobody waits for it here.
  process.exit(0);
}

function parse(path: string) {
  const value: object = JSON.parse(readFileSync(path, "latin1"));
  return { rules: Object.keys(value).length, matched: [] };
}

async function open(path: string, event: string, logsource: string) {
  const rules = await openRules({ directory: path, log, metrics });
  const source: EventLogsource = JSON.parse(logsource);
  const matched = rules.current().match(JSON.parse(event), source);
  return { rules: rules.current().size, matched: matched.map(({ id }) => id) };
}

void main(process.argv.slice(2));
