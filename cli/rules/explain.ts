import { Command } from "commander";

import { isNamed } from "../../functions/analysis/rules/cases.ts";
import {
  type CorrelationExplanation,
  explainRule,
  type GroupWindow,
  type RuleExplanation,
} from "../../functions/analysis/rules/explain.ts";
import type { ExplainedSelection } from "../../functions/analysis/sigma/matching/explain.ts";
import type { RuleSet } from "../../functions/analysis/sigma/rule-set.ts";
import { positiveInteger } from "../commands/tail.ts";
import type { CommandContext } from "../context.ts";
import { CliError, exitCode } from "../exit-code.ts";
import { asOption, type FileEvent, readEvents } from "./events.ts";
import { folderHelp, folderOf } from "./folder.ts";
import { loadRules } from "./load.ts";

interface ExplainOptions {
  readonly rules?: string;
  readonly line?: number;
  readonly as?: string;
  readonly json?: boolean;
}

/** `auditflow rules explain`: why a rule alerts at an event, or why it does not. */
export function explainCommand(context: CommandContext): Command {
  return new Command("explain")
    .description("tell why a rule holds for an event or does not, and what is in a correlation's window")
    .argument("<rule>", "the id that alerts show, or Sigma's id or name")
    .argument("<file>", "a line for each event, in any form `auditflow emit` takes; - for standard input")
    .option("--rules <folder>", folderHelp)
    .option("--line <n>", "the line of the event to explain (default: the latest event)", positiveInteger)
    .addOption(asOption())
    .option("--json", "everything as one JSON object")
    .action(async (rule: string, file: string, options: ExplainOptions) => {
      await run({ rule, file, options }, context);
    });
}

interface Asked {
  readonly rule: string;
  readonly file: string;
  readonly options: ExplainOptions;
}

async function run({ rule, file, options }: Asked, context: CommandContext): Promise<void> {
  const { output } = context;
  const ruleSet = await loadRules(await folderOf(options.rules, context), context);
  const item = findRule(ruleSet, rule);
  const { events, refused } = await readEvents(file, options.as, context);
  for (const { line, reason } of refused) output.err(`line ${line}: refused: ${reason}`);
  // Ids of a file may repeat; here an event is what stands in a place.
  const numbered = events.map((event, index) => ({ ...event, id: String(index) }));
  const event =
    options.line === undefined ? numbered.at(-1) : numbered.find(({ line }) => line === options.line);
  if (!event) throw new CliError(nothingAt(file, options.line), exitCode.usage);
  const explained = explainRule(ruleSet, item, { events: numbered, event });
  if (options.json) output.out(JSON.stringify(explained));
  else for (const text of textOf(explained, event, numbered)) output.out(text);
}

function findRule(ruleSet: RuleSet, name: string) {
  const found = [...ruleSet.rules, ...ruleSet.correlations].find((rule) => isNamed(rule, name));
  if (found) return found;
  throw new CliError(`There is no rule "${name}"; see: auditflow rules list`, exitCode.usage);
}

function nothingAt(file: string, line: number | undefined): string {
  return line === undefined ? `${file} holds no event.` : `${file} holds no event in line ${line}.`;
}

function textOf(
  explained: RuleExplanation | CorrelationExplanation,
  event: FileEvent,
  events: readonly FileEvent[],
): readonly string[] {
  const title = `${explained.rule}  ${explained.title}`;
  const verb = explained.kind === "rule" ? "holds for" : "fires at";
  const answer = explained.holds ? verb : `does not ${verb.replace("s ", " ")}`;
  const head = `${title}\n${answer} the event of line ${event.line} (${instant(event.time)})`;
  if (explained.kind === "rule") return [head, ...ruleLines(explained)];
  return [
    head,
    ...explained.refersTo.flatMap((one) =>
      one.kind === "rule"
        ? ["", `  rule ${one.rule}: ${one.holds ? "holds" : "does not hold"}`, ...indent(ruleLines(one))]
        : ["", `  correlation ${one.rule}`],
    ),
    "",
    ...(explained.windows.length === 0 ? ["  The event counts for no group."] : []),
    ...explained.windows.flatMap((window) => windowLines(window, events)),
  ];
}

function ruleLines({ applies, logsource, selections }: RuleExplanation): readonly string[] {
  const stated = `rule ${JSON.stringify(logsource.rule)}, event ${JSON.stringify(logsource.event ?? null)}`;
  return [`  ${mark(applies)} log source: ${stated}`, ...selections.flatMap(selectionLines)];
}

function selectionLines({ name, holds, items }: ExplainedSelection): readonly string[] {
  return [
    `  ${mark(holds)} ${name}`,
    ...items.map(({ field, asked, found, present, holds: held }) => {
      const value = present ? `found ${found.map((text) => JSON.stringify(text)).join(", ")}` : "not there";
      return `      ${mark(held)} ${field === undefined ? "" : `${field} `}${asked}: ${value}`;
    }),
  ];
}

function windowLines({ group, members, ...window }: GroupWindow, events: readonly FileEvent[]) {
  const values = Object.entries(group).map(([field, value]) => `${field} ${value}`);
  const number = window.number === undefined ? "" : `, number ${window.number}`;
  return [
    `  ${mark(window.holds)} window of ${values.join(", ") || "all events"}: ${members.length} events${number}`,
    ...members.map(({ member, time, values: counted }) => {
      const line = events[Number(member)]?.line ?? 0;
      return `      ${instant(time)}  line ${line}${counted.length > 0 ? `  ${counted.join(", ")}` : ""}`;
    }),
  ];
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}

function mark(holds: boolean): string {
  return holds ? "✓" : "✗";
}

function instant(time: number): string {
  return new Date(time).toISOString();
}
