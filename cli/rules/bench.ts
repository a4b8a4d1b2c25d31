import { Command } from "commander";

import { logsourceOf } from "../../events/logsource.ts";
import { fieldsOf } from "../../functions/analysis/fields.ts";
import { readCaseEvents } from "../../functions/analysis/rules/cases.ts";
import { shownRuleId } from "../../functions/analysis/rules/content.ts";
import { appliesTo } from "../../functions/analysis/sigma/matching/logsource.ts";
import {
  createMatcher,
  groupByLogsource,
  type Matcher,
} from "../../functions/analysis/sigma/matching/matcher.ts";
import type { Rule } from "../../functions/analysis/sigma/rule.ts";
import type { RuleSet } from "../../functions/analysis/sigma/rule-set.ts";
import type { CommandContext } from "../context.ts";
import { CliError, exitCode } from "../exit-code.ts";
import { table } from "../output.ts";
import { positiveInteger } from "../commands/tail.ts";
import { asOption, type FileEvent, readEvents } from "./events.ts";
import { folderHelp, folderOf } from "./folder.ts";
import { loadRules } from "./load.ts";

interface BenchOptions {
  readonly events?: string;
  readonly as?: string;
  readonly top: number;
  readonly json?: boolean;
}

/** `auditflow rules bench`: what rules cost per event, and which of them cost most. */
export function benchCommand(context: CommandContext): Command {
  return new Command("bench")
    .description("measure what rules cost per event, beside JSON.parse of the same events, and the costliest")
    .argument("[folder]", folderHelp)
    .option("--events <file>", "events to measure with, a line each (default: those of the rules' cases)")
    .addOption(asOption())
    .option("--top <n>", "how many of the costliest rules to show", positiveInteger, 10)
    .option("--json", "everything as one JSON object")
    .action(async (folder: string | undefined, options: BenchOptions) => {
      const path = await folderOf(folder, context);
      const ruleSet = await loadRules(path, context);
      const events =
        options.events === undefined
          ? await readCaseEvents(path)
          : (await readEvents(options.events, options.as, context)).events;
      const report = measure(ruleSet, events);
      if (options.json) context.output.out(JSON.stringify(report));
      else for (const line of textOf(report, options.top)) context.output.out(line);
    });
}

/** Medians of microseconds of this thread's processor time for one event. */
interface BenchReport {
  readonly rules: number;
  readonly events: number;
  readonly bytesPerEvent: number;
  readonly parseUs: number;
  readonly fieldsUs: number;
  readonly matchUs: number;
  readonly matchesPerEvent: number;
  /** Each rule by itself, on the events of its log source; the costliest first. */
  readonly each: readonly RuleCost[];
}

interface RuleCost {
  readonly rule: string;
  readonly title: string;
  readonly matchUs: number;
  readonly events: number;
  readonly matches: number;
}

interface Prepared {
  readonly text: string;
  readonly data: FileEvent["data"];
  readonly fields: object;
  readonly logsource: Parameters<Matcher["match"]>[1];
}

function measure(ruleSet: RuleSet, given: readonly Pick<FileEvent, "data">[]): BenchReport {
  const events = given.flatMap(({ data }): Prepared[] => {
    const logsource = logsourceOf(data);
    return logsource ? [{ text: JSON.stringify(data), data, fields: fieldsOf(data), logsource }] : [];
  });
  if (events.length === 0) {
    throw new CliError("There is no event with a known log source to measure with.", exitCode.usage);
  }
  const matches = events.reduce((sum, event) => sum + ruleSet.match(event.fields, event.logsource).length, 0);
  const each = ruleSet.rules.flatMap((rule) => costOf(rule, events));
  return {
    rules: ruleSet.size,
    events: events.length,
    bytesPerEvent: events.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0) / events.length,
    parseUs: microseconds(events, ({ text }) => JSON.parse(text)),
    fieldsUs: microseconds(events, ({ data }) => fieldsOf(data)),
    matchUs: microseconds(events, ({ fields, logsource }) => ruleSet.match(fields, logsource)),
    matchesPerEvent: matches / events.length,
    each: each.toSorted((a, b) => b.matchUs - a.matchUs),
  };
}

function costOf(rule: Rule, events: readonly Prepared[]): readonly RuleCost[] {
  const own = events.filter(({ logsource }) => appliesTo(rule.logsource, logsource));
  if (own.length === 0) return [];
  const matcher = createMatcher(groupByLogsource([rule]));
  const matches = own.filter(({ fields, logsource }) => matcher.match(fields, logsource).length > 0).length;
  const matchUs = microseconds(own, ({ fields, logsource }) => matcher.match(fields, logsource));
  return [{ rule: shownRuleId(rule), title: rule.title, matchUs, events: own.length, matches }];
}

const rounds = 5;
const roundMicroseconds = 4000;

/** The median of several rounds; each goes over all events until it took long enough to be told from noise. */
function microseconds<Item>(items: readonly Item[], act: (item: Item) => unknown): number {
  const samples = Array.from({ length: rounds }, () => {
    const before = process.threadCpuUsage();
    for (let passes = 1; ; passes += 1) {
      for (const item of items) act(item);
      const { user, system } = process.threadCpuUsage(before);
      if (user + system >= roundMicroseconds) return (user + system) / (passes * items.length);
    }
  });
  return samples.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
}

function textOf(report: BenchReport, top: number): readonly string[] {
  const { rules, events, bytesPerEvent, parseUs, fieldsUs, matchUs, matchesPerEvent, each } = report;
  const ratio = (value: number) => `${value.toFixed(2)} us  ${(value / parseUs).toFixed(2)} x`;
  return [
    `${rules} rules, ${events} events of ${bytesPerEvent.toFixed(0)} bytes, ${matchesPerEvent.toFixed(2)} matches an event`,
    `JSON.parse      ${ratio(parseUs)}`,
    `view of fields  ${ratio(fieldsUs)}`,
    `all rules       ${ratio(matchUs)}`,
    "",
    ...table(
      ["RULE", "US/EVENT", "EVENTS", "MATCHES", "TITLE"],
      each
        .slice(0, top)
        .map(({ rule, matchUs: us, events: own, matches, title }) => [
          rule,
          us.toFixed(3),
          String(own),
          String(matches),
          title,
        ]),
    ),
  ];
}
