import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { Command, Option } from "commander";

import type { CommandContext } from "../context.ts";
import { readBatches } from "../emit/batches.ts";
import { type Outcome, post, requestFor } from "../emit/post.ts";
import { type InputRecord, type RecordKind, recordKinds } from "../emit/record.ts";
import { CliError, exitCode } from "../exit-code.ts";
import { openTarget, type Target } from "../target.ts";
import { positiveInteger } from "./tail.ts";

interface EmitOptions {
  readonly target?: string;
  readonly tokenFile?: string;
  readonly file?: string;
  readonly field?: readonly string[];
  readonly data?: string;
  readonly count: number;
  readonly rate?: number;
  readonly as?: RecordKind;
  readonly json?: boolean;
  readonly dryRun?: boolean;
}

/** `auditflow emit`: sends audit events, from arguments, a file or standard input. */
export function emitCommand(context: CommandContext): Command {
  return new Command("emit")
    .description("send audit events: one made of arguments, or the lines of a file or of standard input")
    .argument("[event-type]", "the event_type of the event, or - to read lines from standard input")
    .option("-f, --field <name=value>", "a field of the event; details.<name> goes into details", collect)
    .option("--data <json>", "the whole audit event as JSON")
    .option("--file <path>", "read lines from a file: audit events, CloudEvents or records of a known source")
    .addOption(new Option("--as <kind>", "what the lines are, instead of guessing").choices(recordKinds))
    .option(
      "--count <n>",
      "send the event made of arguments this many times, as events of their own",
      positiveInteger,
      1,
    )
    .option("--rate <n/s>", "at most this many events a second", parseRate)
    .option("--target <url>", "the running AuditFlow (default: $AUDITFLOW_URL, else the one started here)")
    .option("--token-file <path>", "file with an API key or token (default: $AUDITFLOW_TOKEN)")
    .option("--json", "one JSON object a line for each event: line, status, id")
    .option("--dry-run", "print the requests instead of sending them")
    .addHelpText("after", examples)
    .action(async (eventType: string | undefined, options: EmitOptions) => {
      const target = await openTarget({ ...options, env: context.env });
      await emit(target, { input: inputOf(eventType, options, context), options }, context);
    });
}

const examples = `
Examples:
  auditflow emit user_login -f user_id=root -f server_hostname=bastion-1 -f action_result=FAILURE --count 10
  auditflow emit file_modified -f user_id=deploy -f details.resource=/etc/shadow -f action_result=MODIFIED
  auditflow emit - --rate 200/s < events.ndjson
  auditflow emit --file sshd.log --as sshd`;

async function emit(
  target: Target,
  { input, options }: { readonly input: Readable; readonly options: EmitOptions },
  { output, interrupted, endWith }: CommandContext,
): Promise<void> {
  let accepted = 0;
  let refused = 0;
  const started = performance.now();
  const say = (outcome: Outcome) => {
    const ok = outcome.status < 300;
    if (ok) accepted += 1;
    else refused += 1;
    if (options.json) output.out(JSON.stringify(outcome));
    else if (!ok)
      output.err(`line ${outcome.line}: refused (${outcome.status}): ${outcome.detail ?? "no reason given"}`);
  };
  for await (const { records, bad } of readBatches(input, { as: options.as, limit: options.rate ?? 100 })) {
    for (const { line, reason } of bad) say({ line, status: 400, detail: `not JSON: ${reason}` });
    if (records.length === 0) continue;
    if (options.dryRun) output.out(asCurl(target.base, records));
    else for (const outcome of await post(target, records)) say(outcome);
    if (interrupted.aborted) break;
    await pace({ done: accepted + refused, rate: options.rate, started, signal: interrupted });
  }
  if (!options.dryRun)
    output.err(`sent ${accepted + refused}: ${accepted} accepted, ${refused} refused  →  ${target.base}`);
  if (refused > 0) endWith(exitCode.problems);
}

/** Waits until `done` events are due at the rate. */
async function pace(progress: {
  readonly done: number;
  readonly rate: number | undefined;
  readonly started: number;
  readonly signal: AbortSignal;
}): Promise<void> {
  if (progress.rate === undefined) return;
  const dueMs = (progress.done / progress.rate) * 1000 - (performance.now() - progress.started);
  if (dueMs > 0) await delay(dueMs, undefined, { signal: progress.signal }).catch(() => {});
}

function inputOf(eventType: string | undefined, options: EmitOptions, { stdin }: CommandContext): Readable {
  if (eventType === "-") return stdin;
  if (options.file !== undefined) return fileStream(options.file);
  const event =
    options.data === undefined ? fromFields(eventType, options.field ?? []) : parseData(options.data);
  return Readable.from(Array.from({ length: options.count }, () => `${JSON.stringify(event)}\n`));
}

function fileStream(path: string): Readable {
  const stream = createReadStream(path);
  const fail = (error: Error) =>
    new CliError(`--file ${path}: ${error.message}`, exitCode.usage, { cause: error });
  const lines = Readable.from(
    (async function* () {
      try {
        yield* stream;
      } catch (error) {
        throw error instanceof Error ? fail(error) : error;
      }
    })(),
  );
  return lines;
}

function parseData(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CliError(`--data is not JSON: ${error instanceof Error ? error.message : ""}`, exitCode.usage, {
      cause: error,
    });
  }
}

function fromFields(eventType: string | undefined, fields: readonly string[]): Record<string, unknown> {
  if (eventType === undefined) {
    throw new CliError(
      "Nothing to send: give an event type, --data, --file or - for standard input.",
      exitCode.usage,
    );
  }
  const event: Record<string, unknown> = { event_type: eventType };
  const details: Record<string, unknown> = {};
  for (const field of fields) {
    const at = field.indexOf("=");
    if (at < 1) throw new CliError(`--field "${field}" is not name=value.`, exitCode.usage);
    const [name, value] = [field.slice(0, at), field.slice(at + 1)];
    if (name.startsWith("details.")) details[name.slice("details.".length)] = value;
    else event[name] = value;
  }
  return Object.keys(details).length > 0 ? { ...event, details } : event;
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Events a second, with or without `/s`, for commander. */
export function parseRate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(?:\/s)?$/.exec(text);
  const rate = Number(match?.[1]);
  if (rate > 0) return rate;
  throw new CliError(
    `--rate "${text}" is not a number of events a second, such as 200 or 200/s.`,
    exitCode.usage,
  );
}

function asCurl(base: string, records: readonly InputRecord[]): string {
  const { url, contentType, body } = requestFor(base, records);
  const quoted = body.trimEnd().replaceAll("'", String.raw`'\''`);
  return `curl -sS '${url.href}' -H 'content-type: ${contentType}' --data-binary '${quoted}'`;
}
