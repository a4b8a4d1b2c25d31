import type { RuleProblem } from "../sigma/language/problem.ts";
import type { Correlation } from "../sigma/language/correlation.ts";
import type { Logsource } from "../sigma/language/logsource.ts";
import type { Rule } from "../sigma/rule.ts";
import { sha256 } from "./digest.ts";
import {
  packFormat,
  packFrame,
  type PackHead,
  type PackManifest,
  type PackPart,
  type PackStage,
  packVersion,
} from "./pack.ts";

/** What a pack is made of. */
export interface PackContent extends Pick<PackManifest, "builtBy" | "sigma" | "cases"> {
  /** While no filter has expired, and after one did; from when on in epoch milliseconds, the earliest first. */
  readonly stage: StageContent;
  readonly later: readonly (StageContent & { readonly from: number })[];
  /** The licence the rules came with. */
  readonly license?: { readonly file: string; readonly text: string } | undefined;
}

export interface StageContent {
  readonly hash: string;
  readonly groups: readonly { readonly logsource: Logsource; readonly rules: () => readonly Rule[] }[];
  readonly correlations: readonly Correlation[];
  readonly problems: readonly RuleProblem[];
}

/** A part before it is known how long it is. */
type Described = PackPart extends infer Part ? (Part extends unknown ? Omit<Part, "bytes"> : never) : never;

/**
 * Writes a pack: ASCII JSON, the same bytes for the same content. Stages share the parts they have in
 * common, so that an exception that expires costs no more than the rules it concerns.
 */
export function encodePack({ stage, later, license, builtBy, sigma, cases }: PackContent): string {
  const parts = createParts();
  const stages = {
    stage: writeStage(stage, parts.add),
    later: later.map((next) => ({ from: next.from, ...writeStage(next, parts.add) })),
  };
  if (license) parts.add({ kind: "license", file: license.file }, license.text);
  const manifest: PackManifest = { builtBy, sigma, cases, ...stages, parts: parts.list };
  const body = parts.texts.join(",\n");
  const content = packFrame.manifest + ascii(manifest) + packFrame.parts + body + packFrame.end;
  const head: PackHead = { format: packFormat, version: packVersion, sha256: sha256(content) };
  return `${JSON.stringify(head).slice(0, -1)},\n${content}`;
}

/** Answers the position of the part; one of the same content is there only once. */
type AddPart = (part: Described, content: unknown) => number;

function createParts() {
  const list: PackPart[] = [];
  const texts: string[] = [];
  const known = new Map<string, number>();
  const add: AddPart = (part, content) => {
    const text = ascii(content);
    const key = ascii([part, text]);
    const index = known.get(key) ?? list.length;
    if (index === list.length) {
      known.set(key, index);
      list.push({ ...part, bytes: text.length });
      texts.push(text);
    }
    return index;
  };
  return { add, list, texts };
}

function writeStage({ hash, ...content }: StageContent, add: AddPart): PackStage {
  return {
    hash,
    rules: content.groups.map(({ logsource, rules }) => {
      const items = rules();
      return add({ kind: "rules", logsource, ids: items.map(({ id }) => id) }, items);
    }),
    correlations: add(
      { kind: "correlations", ids: content.correlations.map(({ id }) => id) },
      content.correlations,
    ),
    problems: add({ kind: "problems", count: content.problems.length }, content.problems),
  };
}

/** JSON in which every character is one byte; V8 reads such text twice as fast. */
function ascii(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
