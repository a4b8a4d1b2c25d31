import { execFile, execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";

import { buildPack } from "../../functions/analysis/rules/pack-build.ts";
import { bundleFile } from "./bundle.ts";
import { type Measured, median, type Report, toReport } from "./measure.ts";
import { openFolder } from "./store.ts";

const rounds = 9;
/** What a cold function may spend on its rules before the first answer, and what is aimed for. */
const wanted = { atMostMs: 100, aimMs: 50 };

/** An event of a log source; those of real services are the first of AUDITFLOW_REAL_EVENTS, when given. */
interface FirstEvent {
  readonly name: string;
  readonly logsource: Readonly<Record<string, string>>;
  readonly file?: string;
  readonly sample: object;
}

const events: readonly FirstEvent[] = [
  {
    name: "CloudTrail",
    logsource: { product: "aws", service: "cloudtrail" },
    file: "cloudtrail.ndjson",
    sample: { eventSource: "s3.amazonaws.com", eventName: "PutBucketPolicy" },
  },
  {
    name: "Kubernetes",
    logsource: { product: "kubernetes", category: "application", service: "audit" },
    file: "kubernetes.ndjson",
    sample: { verb: "create", objectRef: { resource: "pods", subresource: "exec" } },
  },
  {
    name: "GitHub",
    logsource: { product: "github", service: "audit" },
    file: "github.ndjson",
    sample: { action: "protected_branch.destroy", actor: "octocat" },
  },
  {
    name: "process_creation",
    logsource: { product: "windows", category: "process_creation" },
    sample: {
      Image: "C:\\Windows\\System32\\cmd.exe",
      ParentImage: "C:\\Windows\\explorer.exe",
      CommandLine: "cmd.exe /c whoami /all",
    },
  },
];

/** A cold start of detection with a pack, with the folder it was built of, and JSON.parse of all of it. */
export async function run(): Promise<readonly Report[]> {
  await using open = new AsyncDisposableStack();
  const { path: folder } = open.use(await openFolder());
  const { directory, name } = await corpus(folder);
  const { text = "", ruleSet } = await buildPack(directory, "benchmark");
  const file = join(folder, "bench.pack.json");
  await writeFile(file, text);
  const { file: bundle } = await bundleFile("test/bench/servers/first-answer.ts", join(folder, "first.cjs"));
  const kib = Math.ceil(text.length / 1024);
  const title = `First answer with ${ruleSet.size} rules of ${name}, pack of ${kib} KiB, cold process`;
  const starts: readonly Start[] = [
    { name: "JSON.parse of the whole pack", args: ["parse", file] },
    ...events.map((event) => ({
      name: `pack, ${event.name} event`,
      args: ["open", file, ...asArguments(event)],
    })),
    ...events.slice(0, 1).map((event) => ({
      name: `YAML folder, ${event.name} event`,
      args: ["open", directory, ...asArguments(event)],
    })),
  ];
  return [await measure(title, bundle, starts)];
}

/** AUDITFLOW_SIGMA_CORPUS, a folder or a .tar.gz of Sigma rules; else the rules that come with AuditFlow. */
async function corpus(folder: string) {
  const given = process.env["AUDITFLOW_SIGMA_CORPUS"];
  if (given === undefined) {
    return { directory: fileURLToPath(new URL("../../rules", import.meta.url)), name: "rules/" };
  }
  if (statSync(given).isDirectory()) return { directory: given, name: "AUDITFLOW_SIGMA_CORPUS" };
  const directory = join(folder, "corpus");
  await mkdir(directory);
  execFileSync("tar", ["-xzf", given, "-C", directory]);
  return { directory, name: "AUDITFLOW_SIGMA_CORPUS" };
}

function asArguments({ logsource, file, sample }: FirstEvent): readonly string[] {
  const real = process.env["AUDITFLOW_REAL_EVENTS"];
  const [line = ""] =
    real === undefined || file === undefined ? [] : readFileSync(join(real, file), "utf8").split("\n", 1);
  return [line || JSON.stringify(sample), JSON.stringify(logsource)];
}

interface Start {
  readonly name: string;
  readonly args: readonly string[];
}

const said = z.object({
  rules: z.number(),
  matched: z.array(z.string()),
  threadMs: z.number(),
  allMs: z.number(),
  rssMib: z.number(),
});
type Said = z.infer<typeof said>;

async function measure(title: string, bundle: string, starts: readonly Start[]): Promise<Report> {
  const measured = starts.map((start) => ({ start, samples: new Array<Said>() }));
  // The first round fills the file system's cache.
  for (let round = -1; round < rounds; round += 1) {
    for (const { start, samples } of measured) {
      const sample = await coldStart(bundle, start);
      if (round >= 0) samples.push(sample);
    }
  }
  const rows = measured.map(({ start, samples }): Measured => {
    const of = (figure: (sample: Said) => number) => median(samples.map(figure));
    const ms = of(({ threadMs }) => threadMs);
    const rests = `${of(({ allMs }) => allMs).toFixed(0)} ms on all threads, ${of(({ rssMib }) => rssMib).toFixed(0)} MiB`;
    const note = start.args[0] === "parse" ? rests : `${verdict(ms)}; ${rests}`;
    return { name: start.name, note, samples: samples.map(({ threadMs }) => threadMs) };
  });
  return toReport(title, "ms", rows);
}

function verdict(ms: number): string {
  const { atMostMs, aimMs } = wanted;
  if (ms <= aimMs) return `aim of ${aimMs} ms met`;
  return ms <= atMostMs ? `${atMostMs} ms met, aim of ${aimMs} ms NOT MET` : `${atMostMs} ms NOT MET`;
}

async function coldStart(bundle: string, { name, args }: Start): Promise<Said> {
  const { stdout } = await promisify(execFile)(process.execPath, [bundle, ...args]);
  const sample = said.parse(JSON.parse(stdout));
  if (sample.rules === 0) throw new Error(`${name} loaded no rule`);
  return sample;
}
