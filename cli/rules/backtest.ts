import { Command } from "commander";

import {
  backtest,
  compare,
  type Difference,
  type Outcome,
  type RuleOutcome,
} from "../../functions/analysis/rules/backtest.ts";
import type { Episode } from "../../functions/analysis/rules/episodes.ts";
import type { CommandContext } from "../context.ts";
import { exitCode } from "../exit-code.ts";
import { table } from "../output.ts";
import { asOption, type FileEvents, readEvents } from "./events.ts";
import { folderHelp, folderOf } from "./folder.ts";
import { loadRules } from "./load.ts";

interface BacktestOptions {
  readonly rules?: string;
  readonly against?: string;
  readonly as?: string;
  readonly json?: boolean;
  readonly exitCode?: boolean;
}

/** How many alerts of each kind of difference are shown; `--json` has all. */
const maxShown = 20;

/** `auditflow rules backtest`: what rules would have alerted, and what a change of them would change. */
export function backtestCommand(context: CommandContext): Command {
  return new Command("backtest")
    .description("tell what rules would have alerted on recorded events, and how two sets of rules differ")
    .argument("<file>", "a line for each event, in any form `auditflow emit` takes; - for standard input")
    .option("--rules <folder>", folderHelp)
    .option("--against <folder>", "compare with the alerts of these rules, as the state before")
    .addOption(asOption())
    .option("--json", "everything as one JSON object")
    .option("--exit-code", "end with 3 when the two sets of rules differ")
    .action(async (file: string, options: BacktestOptions) => run(file, options, context));
}

async function run(file: string, options: BacktestOptions, context: CommandContext): Promise<void> {
  const { output, endWith } = context;
  const rules = await loadRules(await folderOf(options.rules, context), context);
  const against =
    options.against === undefined
      ? undefined
      : await loadRules(await folderOf(options.against, context), context);
  const read = await readEvents(file, options.as, context);
  const after = backtest(rules, read.events);
  const before = against && backtest(against, read.events);
  const difference = before && compare(before, after);
  if (options.json) output.out(JSON.stringify(toJson(read, after, difference)));
  else for (const line of [...outcomeLines(read, after), ...differenceLines(difference)]) output.out(line);
  for (const { line, reason } of read.refused) output.err(`line ${line}: refused: ${reason}`);
  if (read.refused.length > 0 || (options.exitCode && difference && isDifferent(difference))) {
    endWith(exitCode.problems);
  }
}

function toJson({ events, refused }: FileEvents, outcome: Outcome, difference: Difference | undefined) {
  return { events: events.length, refused, ...outcome, ...(difference ? { difference } : {}) };
}

function outcomeLines({ events }: FileEvents, { alerts, rules }: Outcome): readonly string[] {
  const [first, last] = [events[0], events.at(-1)];
  const span = first && last ? ` from ${instant(first.time)} to ${instant(last.time)}` : "";
  return [
    `${events.length} events${span}: ${alerts.length} alerts of ${rules.length} rules`,
    ...(rules.length === 0 ? [] : table(["RULE", "LEVEL", "ALERTS", "EVENTS", "TITLE"], rules.map(cells))),
  ];
}

function cells({ rule, level, alerts, events, title }: RuleOutcome): readonly string[] {
  return [rule, level, String(alerts), String(events), title];
}

function differenceLines(difference: Difference | undefined): readonly string[] {
  if (!difference) return [];
  const { same, added, removed, changed } = difference;
  return [
    "",
    `against the rules before: ${added.length} more, ${removed.length} fewer, ${changed.length} changed, ${same} the same`,
    ...shown(added.map((alert) => `+ ${describe(alert)}`)),
    ...shown(removed.map((alert) => `- ${describe(alert)}`)),
    ...shown(
      changed.map(
        ({ before, after }) =>
          `~ ${describe(after)}, before ${before.count}${before.level === after.level ? "" : ` and ${before.level} instead of ${after.level}`}`,
      ),
    ),
  ];
}

function shown(lines: readonly string[]): readonly string[] {
  const rest = lines.length - maxShown;
  return rest > 0 ? [...lines.slice(0, maxShown), `  … and ${rest} more (--json has all)`] : lines;
}

function describe({ shown: rule, firstSeen, group, count, title }: Episode): string {
  const of = Object.entries(group).map(([field, value]) => `${field} ${value}`);
  const events = `${count} ${count === 1 ? "event" : "events"}`;
  return [instant(firstSeen), rule, title, ...(of.length > 0 ? [`(${of.join(", ")})`] : []), events].join(
    "  ",
  );
}

function isDifferent({ added, removed, changed }: Difference): boolean {
  return added.length + removed.length + changed.length > 0;
}

function instant(time: number): string {
  return new Date(time).toISOString();
}
