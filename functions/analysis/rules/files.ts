import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";

import type { RuleProblem } from "../sigma/language/problem.ts";
import type { RuleDocument } from "../sigma/compile.ts";

/** What a folder of rules holds, sorted by name; names are relative to the folder, with `/`. */
export interface RuleFiles {
  readonly rules: readonly RuleDocument[];
  readonly cases: readonly RuleDocument[];
  /** Files and folders that could not be read. */
  readonly problems: readonly RuleProblem[];
}

const casesSuffix = /\.cases\.ya?ml$/;

/** The rule file whose cases a file holds: `x.yml` for `x.cases.yml`. */
export function ruleFileOf(casesFile: string): string {
  return casesFile.replace(/\.cases(\.ya?ml)$/, "$1");
}

/** How often a folder is read anew that changed while it was read. */
const maxAttempts = 10;

/**
 * Reads a folder of rules and everything below it. Names that begin with a dot are left out; a mounted
 * ConfigMap keeps its versions under such names (`..data`), and what links into them is read through the
 * link. What is answered was there at one time: when a version is swapped while its files are read, they
 * are read again.
 */
export async function readRuleFiles(directory: string): Promise<RuleFiles> {
  let listed = await listFiles(directory);
  for (let attempts = 1; attempts <= maxAttempts; attempts += 1) {
    const files = await readFiles(directory, listed);
    const after = await listFiles(directory);
    if (stampOf(listed) === stampOf(after)) return files;
    listed = after;
  }
  const problem = unreadable(directory, "The folder changes all the time while it is read.");
  return { rules: [], cases: [], problems: [problem] };
}

interface Listing {
  readonly found: readonly FoundFile[];
  readonly problems: readonly RuleProblem[];
}

/** A file, and what tells it from another file of its name. */
interface FoundFile {
  readonly file: string;
  readonly stamp: string;
}

async function listFiles(directory: string): Promise<Listing> {
  const problems: RuleProblem[] = [];
  const found = await listFolder({ directory, folder: "", above: [] }, problems);
  return { found: found.toSorted((a, b) => (a.file < b.file ? -1 : 1)), problems };
}

function stampOf({ found }: Listing): string {
  return JSON.stringify(found);
}

async function readFiles(directory: string, listed: Listing): Promise<RuleFiles> {
  const problems = [...listed.problems];
  const documents = await Promise.all(
    listed.found.map(async ({ file }) => {
      const text = await attempt(file, problems, () => readFile(join(directory, file), "utf8"));
      return text === undefined ? [] : [{ file, text }];
    }),
  );
  const files = documents.flat();
  if (files.length === 0 && problems.length === 0) {
    problems.push(unreadable(directory, "The folder holds no rule file (*.yml)."));
  }
  return {
    rules: files.filter(({ file }) => !casesSuffix.test(file)),
    cases: files.filter(({ file }) => casesSuffix.test(file)),
    problems,
  };
}

interface Place {
  readonly directory: string;
  readonly folder: string;
  /** The real paths of the folders above, so that a link to one of them is no endless way down. */
  readonly above: readonly string[];
}

async function listFolder(
  { directory, folder, above }: Place,
  problems: RuleProblem[],
): Promise<readonly FoundFile[]> {
  const path = join(directory, folder);
  const listed = await attempt(folder || directory, problems, async () => ({
    real: await realpath(path),
    names: await readdir(path),
  }));
  if (!listed || above.includes(listed.real)) return [];
  const found = await Promise.all(
    listed.names
      .filter((name) => !name.startsWith("."))
      .map(async (name) => {
        const relative = folder === "" ? name : `${folder}/${name}`;
        const stats = await attempt(relative, problems, () => stat(join(directory, relative)));
        if (stats?.isDirectory()) {
          return listFolder({ directory, folder: relative, above: [...above, listed.real] }, problems);
        }
        if (!stats?.isFile() || !/\.ya?ml$/.test(name)) return [];
        return [{ file: relative, stamp: `${stats.ino} ${stats.mtimeMs} ${stats.size}` }];
      }),
  );
  return found.flat();
}

async function attempt<Result>(
  file: string,
  problems: RuleProblem[],
  step: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await step();
  } catch (error) {
    problems.push(unreadable(file, error instanceof Error ? error.message : String(error)));
    return undefined;
  }
}

function unreadable(file: string, message: string): RuleProblem {
  return { code: "RULE_FILE_UNREADABLE", severity: "error", file, line: 1, column: 1, message };
}
