import type { Correlation } from "../sigma/language/correlation.ts";
import type { Logsource } from "../sigma/language/logsource.ts";
import { RuleError, type RuleProblem } from "../sigma/language/problem.ts";
import type { Rule } from "../sigma/rule.ts";
import { sha256 } from "./digest.ts";

export const packFormat = "auditflow.rules";
/**
 * Raised whenever the layout changes, or what a rule or a correlation is as data: an engine that read the
 * detections of another version would judge by rules that nobody wrote.
 */
export const packVersion = 1;

/**
 * The first line of a pack. Everything behind it is what the digest is of, so that a pack is checked
 * before any of it is parsed.
 */
export interface PackHead {
  readonly format: string;
  readonly version: number;
  /** Of all bytes behind the first line, in hexadecimal. */
  readonly sha256: string;
}

/** The second line of a pack: all there is to know without reading a rule. */
export interface PackManifest {
  /** The program that built it, and the Sigma specification it follows. */
  readonly builtBy: string;
  readonly sigma: string;
  /** What came of the cases beside the rules; rules that failed theirs are not in the pack. */
  readonly cases: { readonly passed: number; readonly failed: number };
  readonly parts: readonly PackPart[];
  /** The rule set while no filter has expired, and those after one did, the earliest first. */
  readonly stage: PackStage;
  readonly later: readonly LaterStage[];
}

/** One line behind the manifest: JSON of its own, parsed when it is needed. */
export type PackPart = { readonly bytes: number } & (
  | { readonly kind: "rules"; readonly logsource: Logsource; readonly ids: readonly string[] }
  | { readonly kind: "correlations"; readonly ids: readonly string[] }
  | { readonly kind: "problems"; readonly count: number }
  /** The text of the licence file that came with the rules. */
  | { readonly kind: "license"; readonly file: string }
);

/** One rule set: filters that expire make another one of the same documents. */
export interface PackStage {
  /** The hash of the rule set. */
  readonly hash: string;
  /** Positions in `parts`: the sections of rules, in order, and the two others. */
  readonly rules: readonly number[];
  readonly correlations: number;
  readonly problems: number;
}

export interface LaterStage extends PackStage {
  /** Epoch milliseconds. */
  readonly from: number;
}

/** The rules of one log source; `rules` parses them. */
export interface PackSection {
  readonly logsource: Logsource;
  readonly size: number;
  readonly rules: () => readonly Rule[];
}

/** A pack that is what was built. It keeps the bytes it was opened with. */
export interface Pack {
  readonly manifest: PackManifest;
  /** Tells it from any other pack. */
  readonly digest: string;
  sections(stage: PackStage): readonly PackSection[];
  correlations(stage: PackStage): readonly Correlation[];
  problems(stage: PackStage): readonly RuleProblem[];
}

/** Around the parts of a pack; they are joined by a comma and a line break. */
export const packFrame = { manifest: '"manifest":', parts: ',\n"parts":[\n', end: "\n]}\n" } as const;
/** The head is far shorter; what has no line break within this is no pack. */
const maxHeadBytes = 1024;

/**
 * Opens a pack: checks its version and its digest and reads its manifest, no rule yet. Throws RuleError
 * when it is not exactly what `auditflow rules build` wrote, which a half-written file is not.
 */
export function openPack(bytes: Buffer): Pack {
  const { head, contentAt } = readHead(bytes);
  const content = bytes.subarray(contentAt);
  if (sha256(content) !== head.sha256) {
    throw refuse("The pack is not what was built: its content does not have the SHA-256 its head states.");
  }
  const manifestEnd = content.indexOf(packFrame.parts);
  const manifest: PackManifest = JSON.parse(
    content.toString("latin1", packFrame.manifest.length, manifestEnd),
  );
  const ranges = rangesOf(manifest.parts, manifestEnd + packFrame.parts.length);
  // Packs are ASCII, so bytes are characters.
  const textOf = (part: number) => content.toString("latin1", ...(ranges[part] ?? [0, 0]));
  return {
    manifest,
    digest: head.sha256,
    sections: (stage) =>
      stage.rules.flatMap((index) => {
        const part = manifest.parts[index];
        if (part?.kind !== "rules") return [];
        const rules = (): readonly Rule[] => JSON.parse(textOf(index));
        return [{ logsource: part.logsource, size: part.ids.length, rules }];
      }),
    correlations: (stage) => JSON.parse(textOf(stage.correlations)),
    problems: (stage) => JSON.parse(textOf(stage.problems)),
  };
}

/** The stage in force at a time (epoch milliseconds), and when the next one begins; without a time the first. */
export function stageAt(
  { stage, later }: PackManifest,
  now: number | undefined,
): { readonly stage: PackStage; readonly nextAt?: number | undefined } {
  if (now === undefined) return { stage };
  const begun = later.filter(({ from }) => from <= now);
  return { stage: begun.at(-1) ?? stage, nextAt: later[begun.length]?.from };
}

function readHead(bytes: Buffer): { readonly head: PackHead; readonly contentAt: number } {
  const end = bytes.subarray(0, maxHeadBytes).indexOf(",\n");
  const head = end === -1 ? undefined : parseHead(`${bytes.toString("latin1", 0, end)}}`);
  if (head?.format !== packFormat || typeof head.version !== "number") {
    throw refuse("This is no rule pack, or another program has laid it out anew; build it again.");
  }
  if (head.version === packVersion) return { head, contentAt: end + 2 };
  const versions = `version ${head.version}; this program reads version ${packVersion}`;
  throw refuse(`The rule pack has the format ${versions}. Build it with the program that is to read it.`);
}

function parseHead(text: string): PackHead | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function rangesOf(parts: readonly PackPart[], firstAt: number): readonly (readonly [number, number])[] {
  let at = firstAt;
  return parts.map(({ bytes }) => {
    const from = at;
    at += bytes + 2;
    return [from, from + bytes];
  });
}

function refuse(message: string): RuleError {
  return new RuleError("RULE_PACK_INVALID", message, { line: 1, column: 1 });
}
