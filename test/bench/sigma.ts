import {
  createMatcher,
  groupByLogsource,
  type Matcher,
} from "../../functions/analysis/sigma/matching/matcher.ts";
import type { Rule } from "../../functions/analysis/sigma/rule.ts";
import { compare, type Report, type Subject, toReport } from "./measure.ts";
import { createJsonLogic, createJsonRules, flatten, isSimple } from "./sigma/engines.ts";
import { readEvents, valuesOf } from "./sigma/events.ts";
import { matching, parsing } from "./sigma/passes.ts";
import { createRandom } from "./sigma/random.ts";
import { inventRules, readRules, type Source, sources, vary } from "./sigma/rules.ts";
import { windowsEvents } from "./sigma/windows.ts";

const rounds = 15;
const unit = "ns/event";
const eventCount = 2400;
const aim = 0.5;

/** What is measured with: rules of a corpus and real events where they are given, else invented ones. */
interface Material {
  readonly corpus: readonly Rule[] | undefined;
  readonly events: (source: Source) => readonly string[];
}

/**
 * What matching costs beside parsing the same events. Rules come from AUDITFLOW_SIGMA_CORPUS (a folder or
 * .tar.gz, such as SigmaHQ/sigma), events from AUDITFLOW_REAL_EVENTS (cloudtrail, kubernetes and github
 * as .ndjson); without them, invented ones are measured and the rows that would need them are left out.
 */
export async function run(): Promise<readonly Report[]> {
  const path = process.env["AUDITFLOW_SIGMA_CORPUS"];
  const folder = process.env["AUDITFLOW_REAL_EVENTS"];
  if (path === undefined)
    console.error(
      "AUDITFLOW_SIGMA_CORPUS is not set: invented rules; no rows with all of SigmaHQ or process_creation.",
    );
  if (folder === undefined) console.error("AUDITFLOW_REAL_EVENTS is not set: invented events.");
  const material: Material = {
    corpus: path === undefined ? undefined : readRules(path),
    events: (source) => readEvents(folder, source, eventCount),
  };
  const reports: Report[] = [];
  for (const source of sources) reports.push(await bySource(source, material));
  if (material.corpus) reports.push(await processCreation(material.corpus));
  reports.push(await bySize(material), await againstOthers(material), allocation(material));
  return reports;
}

function matcherOf(rules: readonly Rule[]): Matcher {
  return createMatcher(groupByLogsource(rules));
}

/** The source's own rules and varied ones, all in its log source. */
function rulesFor(
  source: Source,
  count: number,
  { corpus, events, own: most = Number.POSITIVE_INFINITY }: Material & { readonly own?: number },
): readonly Rule[] {
  const values = valuesOf(events(source).slice(0, 200));
  const { product } = source.logsource;
  const own = corpus?.filter(({ logsource }) => logsource.product === product) ?? inventRules(values, 50);
  const random = createRandom(77);
  return vary(own.slice(0, most), count, { values, random }).map((rule) => ({
    ...rule,
    logsource: source.logsource,
  }));
}

async function bySource(source: Source, material: Material): Promise<Report> {
  const lines = material.events(source);
  const { logsource } = source;
  const subjects = [parsing(lines)];
  const add = (name: string, rules: readonly Rule[]) =>
    subjects.push(matching(name, lines, { matcher: matcherOf(rules), logsource, aim }));
  add("3,000 rules in this log source", rulesFor(source, 3000, material));
  if (material.corpus) add(`all ${material.corpus.length} rules of the corpus, routed`, material.corpus);
  return compare(`Matching ${source.name} events beside parsing them`, { subjects, rounds, unit });
}

async function processCreation(corpus: readonly Rule[]): Promise<Report> {
  const lines = windowsEvents(eventCount);
  const logsource = { product: "windows", category: "process_creation" };
  const own = corpus.filter(
    (rule) => rule.logsource.product === "windows" && rule.logsource.category === logsource.category,
  );
  const subjects = [
    parsing(lines),
    matching(`${own.length} rules for process_creation`, lines, {
      matcher: matcherOf(own),
      logsource,
      aim: 1.5,
    }),
    matching(`all ${corpus.length} rules of the corpus, routed`, lines, {
      matcher: matcherOf(corpus),
      logsource,
    }),
  ];
  return compare("Matching Windows process creations (made up, 2 % attacks) beside parsing them", {
    subjects,
    rounds,
    unit,
  });
}

async function bySize(material: Material): Promise<Report> {
  const [source] = sources;
  if (!source) throw new RangeError("There is no source.");
  const lines = material.events(source);
  const { logsource } = source;
  const subject = (count: number, most?: number) =>
    matching(`${count} rules`, lines, {
      // The same rules that events come upon in all sizes: forty of the source and ten that look for what is there.
      matcher: matcherOf(rulesFor(source, count, { ...material, own: 40 })),
      logsource,
      ...(most === undefined ? {} : { aim: most }),
    });
  return compare(`Matching ${source.name} events by the number of rules`, {
    subjects: [subject(50), subject(1000), subject(10_000, 1.2)],
    rounds,
    unit,
  });
}

async function againstOthers(material: Material): Promise<Report> {
  const [source] = sources;
  if (!source) throw new RangeError("There is no source.");
  const rules = rulesFor(source, 3000, material).filter(isSimple).slice(0, 1000);
  const matcher = matcherOf(rules);
  const lines = material.events(source);
  const events = lines.slice(0, 20).map((line) => JSON.parse(line) as object);
  const flat = events.map(flatten);
  const [jsonRules, jsonLogic] = [createJsonRules(rules), createJsonLogic(rules)];
  await checkEqual(events, { matcher, source, jsonRules, jsonLogic, flat });
  const each = (name: string, measure: Subject["measure"], atLeast?: number): Subject => ({
    name,
    measure,
    aim: atLeast === undefined ? undefined : { atLeast },
  });
  const title = `The same ${rules.length} rules in other engines, the same matches (they get the events flattened and in lower case)`;
  return compare(title, {
    subjects: [
      matching("this engine", lines, { matcher, logsource: source.logsource }),
      each("json-rules-engine", () => timeAsync(flat, jsonRules), 20_000),
      each("json-logic-engine", () => timeAsync(flat, async (event) => jsonLogic(event)), 1000),
    ],
    rounds: 5,
    unit,
  });
}

interface Others {
  readonly matcher: Matcher;
  readonly source: Source;
  readonly jsonRules: (event: object) => Promise<readonly string[]>;
  readonly jsonLogic: (event: object) => readonly string[];
  readonly flat: readonly object[];
}

async function checkEqual(events: readonly object[], others: Others): Promise<void> {
  for (const [index, event] of events.entries()) {
    const ours = others.matcher
      .match(event, others.source.logsource)
      .map(({ id }) => id)
      .toSorted()
      .join(" ");
    const flat = others.flat[index] ?? {};
    for (const theirs of [await others.jsonRules(flat), others.jsonLogic(flat)]) {
      if (theirs.toSorted().join(" ") !== ours)
        throw new Error(`The engines disagree: ${ours} / ${theirs.join(" ")}`);
    }
  }
}

async function timeAsync(
  events: readonly object[],
  step: (event: object) => Promise<unknown>,
): Promise<number> {
  const before = process.threadCpuUsage();
  for (const event of events) await step(event);
  const { user, system } = process.threadCpuUsage(before);
  return ((user + system) * 1000) / events.length;
}

/** Bytes taken from the heap for an event: parsing, and matching events that match nothing. */
function allocation(material: Material): Report {
  const [source] = sources;
  if (!source) throw new RangeError("There is no source.");
  const matcher = matcherOf(rulesFor(source, 3000, material));
  const { logsource } = source;
  const lines = material
    .events(source)
    .filter((line) => matcher.match(JSON.parse(line), logsource).length === 0);
  const events = lines.map((line) => JSON.parse(line) as object);
  const bytes = (step: (index: number) => unknown, times: number) => {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < times; i += 1) step(i % lines.length);
    return Math.max(0, process.memoryUsage().heapUsed - before) / times;
  };
  const match = (index: number) => matcher.match(events[index] ?? {}, logsource);
  const parse = (index: number) => JSON.parse(lines[index] ?? "{}") as unknown;
  for (let i = 0; i < 20_000; i += 1) match(i % lines.length);
  const sample = (step: (index: number) => unknown, times: number) =>
    Array.from({ length: rounds }, () => bytes(step, times));
  return toReport(
    `Allocation by events without a match (3,000 rules, ${lines.length} ${source.name} events)`,
    "B/event",
    [
      { name: "JSON.parse", samples: sample(parse, 1000) },
      { name: "3,000 rules in this log source", samples: sample(match, 100_000), aim: { atMost: 0.001 } },
    ],
  );
}
