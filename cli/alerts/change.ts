import { text } from "node:stream/consumers";
import { Command, Option } from "commander";
import { z } from "zod";

import { type ApiClient, createClient } from "../api.ts";
import { byOf, type CommonOptions, withApiOptions } from "../api-options.ts";
import type { CommandContext } from "../context.ts";
import { CliError, exitCode } from "../exit-code.ts";
import { printOne } from "../print.ts";
import { toTime } from "./list.ts";

export interface ChangeOptions extends CommonOptions {
  readonly query?: string;
  readonly since?: string;
  readonly dryRun?: boolean;
  readonly reason?: string;
  readonly by?: string;
}

/** One verb that changes alerts: its name, and what it adds to the request. */
export interface Verb<Options extends ChangeOptions = ChangeOptions> {
  readonly name: string;
  readonly description: string;
  readonly options?: readonly Option[];
  readonly needsReason?: boolean;
  readonly toAction: (options: Options) => object;
}

/** The command of a verb: on ids, on ids from standard input, or on all alerts of a query. */
export function changeCommand<Options extends ChangeOptions>(
  verb: Verb<Options>,
  context: CommandContext,
): Command {
  const command = new Command(verb.name)
    .description(verb.description)
    .argument("[ids...]", "ids of alerts, or - to read them from standard input, one a line")
    .option("--query <query>", "all alerts that it matches, instead of ids")
    .option("--since <time>", "with --query: last seen from then on")
    .option("--dry-run", "only say how many alerts it would change")
    .option("--by <name>", "who does it, where there is no login (default: $USER)");
  const reason = new Option("-m, --reason <text>", "why; kept in the history");
  command.addOption(verb.needsReason ? reason.makeOptionMandatory() : reason);
  for (const option of verb.options ?? []) command.addOption(option);
  return withApiOptions(command).action(async (ids: readonly string[], options: Options) => {
    const action = verb.toAction(options);
    const client = await createClient({ ...options, env: context.env });
    await change(client, { which: await whichOf(ids, options, context), action, options }, context);
  });
}

type Which = { readonly ids: readonly string[] } | { readonly query: string; readonly from?: string };

async function whichOf(
  ids: readonly string[],
  { query, since }: ChangeOptions,
  { stdin }: CommandContext,
): Promise<Which> {
  if (query !== undefined && ids.length > 0)
    throw new CliError("Give ids or --query, not both.", exitCode.usage);
  const from = toTime(since);
  if (query !== undefined) return { query, ...(from === undefined ? {} : { from }) };
  const named = ids.includes("-") ? readIds(await text(stdin)) : ids;
  if (named.length === 0) throw new CliError("Which alerts? Give ids, - or --query.", exitCode.usage);
  return { ids: [...new Set(named)] };
}

/** One id a line; lines of `alerts list -o ndjson` are understood too. */
function readIds(lines: string): readonly string[] {
  return lines
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => /^\{.*"alert_id":"(?<id>[^"]*)"/.exec(line)?.groups?.["id"] ?? line);
}

const outcome = z.looseObject({
  matched: z.number(),
  changed: z.number(),
  refused: z.array(z.looseObject({ alert_id: z.string(), status: z.string() })),
  capped: z.boolean(),
});
type Outcome = z.infer<typeof outcome>;

interface Changing {
  readonly which: Which;
  readonly action: object;
  readonly options: ChangeOptions;
}

async function change(client: ApiClient, changing: Changing, context: CommandContext): Promise<void> {
  const { which, options } = changing;
  const { output, endWith } = context;
  const result = await request(client, changing, context);
  if (options.output === "table") output.out(sentence(result, options.dryRun ?? false));
  else printOne(result, options.output, output);
  if (result.capped) output.err("More alerts match than are changed at once: do it again for the rest.");
  for (const { alert_id, status } of result.refused) output.err(`${alert_id} is ${status}: not changed`);
  if (result.refused.length > 0) endWith(exitCode.conflict);
  // An id that nobody knows is a mistake; a query that matches nothing is an answer.
  if ("ids" in which && result.matched < which.ids.length) {
    output.err(`${which.ids.length - result.matched} of ${which.ids.length} ids are not known`);
    endWith(exitCode.notFound);
  }
}

/** As many ids as one request may name. */
const maxIds = 500;

/** Any number of ids goes in as many requests as it takes; what came of them is added up. */
async function request(
  client: ApiClient,
  { which, action, options }: Changing,
  { env }: CommandContext,
): Promise<Outcome> {
  const rest = {
    ...action,
    by: byOf(options, env),
    reason: options.reason,
    dry_run: options.dryRun ?? false,
  };
  const total: Outcome = { matched: 0, changed: 0, refused: [], capped: false };
  for (const part of "ids" in which ? inParts(which.ids) : [which]) {
    const body = { ...part, ...rest };
    const done = outcome.parse(await client.request("POST", "/api/v1/alerts/changes", { body }));
    total.matched += done.matched;
    total.changed += done.changed;
    total.refused.push(...done.refused);
    total.capped ||= done.capped;
  }
  return total;
}

function inParts(ids: readonly string[]): readonly Which[] {
  return Array.from({ length: Math.ceil(ids.length / maxIds) }, (_, part) => ({
    ids: ids.slice(part * maxIds, (part + 1) * maxIds),
  }));
}

function sentence({ matched, changed, refused }: Outcome, isDryRun: boolean): string {
  const alerts = matched === 1 ? "1 alert" : `${matched} alerts`;
  if (isDryRun) return `would change ${changed} of ${alerts}`;
  const same = matched - changed - refused.length;
  return `changed ${changed} of ${alerts}${same > 0 ? `; ${same} so already` : ""}`;
}
