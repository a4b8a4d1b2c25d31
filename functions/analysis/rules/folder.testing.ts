import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A folder of its own for one test, removed with it. */
export interface TestFolder extends AsyncDisposable {
  readonly path: string;
  write(file: string, text: string): Promise<void>;
}

/** Makes a folder that holds these files, by name. */
export async function openFolder(files: Readonly<Record<string, string>> = {}): Promise<TestFolder> {
  const path = await mkdtemp(join(tmpdir(), "auditflow-rules-"));
  const write = async (file: string, text: string) => {
    await mkdir(dirname(join(path, file)), { recursive: true });
    await writeFile(join(path, file), text);
  };
  for (const [file, text] of Object.entries(files)) await write(file, text);
  return { path, write, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A rule that matches events of category `test` with this value in `a`. */
export function ruleOf(title: string, value: string): string {
  return `title: ${title}
level: low
logsource: {category: test}
detection:
  selection: {a: ${value}}
  condition: selection
`;
}

/** An exception to a rule of category `test`, for events whose `b` is `known`, until a date. */
export function filterOf(rule: string, expires: string): string {
  return `title: Exception to ${rule}
logsource: {category: test}
filter:
  rules: [${rule}]
  selection: {b: known}
  condition: not selection
auditflow: {owner: ana, reason: it is meant to do that, expires: ${expires}}
`;
}
