import { entryOf, type MapEntry, type MapNode, type ScalarNode, textOf, toPlain } from "./document.ts";
import { RuleError } from "./problem.ts";

export type Level = "informational" | "low" | "medium" | "high" | "critical";
export type Status = "stable" | "test" | "experimental" | "deprecated" | "unsupported";

/** Another rule, and how this one relates to it: `derived`, `obsolete`, `merged`, `renamed` or `similar`. */
export interface Related {
  readonly id: string;
  readonly type: string;
}

/** What a rule and a correlation say about themselves; none of it takes part in matching. */
export interface Description {
  /** Sigma's `id`, else `name`, else `title`; unique in a rule set. */
  readonly id: string;
  readonly name?: string | undefined;
  /** The id to show to people instead, where something stands in for another rule. */
  readonly shows?: string | undefined;
  readonly title: string;
  readonly description?: string | undefined;
  /** `medium` when the document states none. */
  readonly level: Level;
  readonly status?: Status | undefined;
  readonly author?: string | undefined;
  /** As an SPDX expression, or in words. */
  readonly license?: string | undefined;
  /** Dates as they are written, by the specification `YYYY-MM-DD`. */
  readonly date?: string | undefined;
  readonly modified?: string | undefined;
  /** Which names its fields have; Sigma's own when absent. */
  readonly taxonomy?: string | undefined;
  readonly related: readonly Related[];
  /** The kinds of systems the rule is meant for. */
  readonly scope: readonly string[];
  readonly tags: readonly string[];
  readonly references: readonly string[];
  readonly falsepositives: readonly string[];
  /** The fields worth showing to people. */
  readonly fields: readonly string[];
  readonly file: string;
  /** Where the document begins, counted from 1. */
  readonly line: number;
  /** Top-level keys that Sigma does not know, as plain data. */
  readonly custom: Readonly<Record<string, unknown>>;
}

const levels = ["informational", "low", "medium", "high", "critical"] as const;
const statuses = ["stable", "test", "experimental", "deprecated", "unsupported"] as const;

/** The top-level keys of the specification; every other one is custom. */
const known: ReadonlySet<string> = new Set(
  (
    "title id related name taxonomy status description license author references date modified " +
    "logsource detection correlation filter generate fields falsepositives level tags scope"
  ).split(" "),
);

/** Reads the attributes all documents share. */
export function parseDescription(document: MapNode, file: string): Description {
  const title = requireText(document, "title");
  const name = optionalText(document, "name");
  return {
    id: optionalText(document, "id") ?? name ?? title,
    name,
    title,
    description: optionalText(document, "description"),
    level: oneOf(document, "level", levels) ?? "medium",
    status: oneOf(document, "status", statuses),
    author: optionalText(document, "author"),
    license: optionalText(document, "license"),
    date: optionalText(document, "date"),
    modified: optionalText(document, "modified"),
    taxonomy: optionalText(document, "taxonomy"),
    related: relatedOf(document),
    scope: textList(document, "scope"),
    tags: textList(document, "tags"),
    references: textList(document, "references"),
    falsepositives: textList(document, "falsepositives"),
    fields: textList(document, "fields"),
    file,
    line: document.at.line,
    custom: customOf(document),
  };
}

/** The entry of a mandatory key. */
export function requireEntry(map: MapNode, key: string): MapEntry {
  const entry = entryOf(map, key);
  if (entry) return entry;
  throw new RuleError("RULE_ATTRIBUTE_MISSING", `'${key}' is missing.`, map.at);
}

/** The text of a key, `undefined` when absent or null. */
export function optionalText(map: MapNode, key: string): string | undefined {
  const scalar = scalarOf(map, key);
  return scalar && textOf(scalar.value);
}

function requireText(map: MapNode, key: string): string {
  const text = optionalText(map, key)?.trim();
  if (text) return text;
  throw new RuleError(
    "RULE_ATTRIBUTE_MISSING",
    `'${key}' is missing or empty.`,
    entryOf(map, key)?.keyAt ?? map.at,
  );
}

function scalarOf(map: MapNode, key: string): ScalarNode | undefined {
  const value = entryOf(map, key)?.value;
  if (value === undefined || value.kind === "scalar") return value;
  throw new RuleError("RULE_ATTRIBUTE_INVALID", `'${key}' must be a text.`, value.at);
}

/** The choice a key states, `undefined` when absent or null. */
function oneOf<Choice extends string>(
  map: MapNode,
  key: string,
  choices: readonly Choice[],
): Choice | undefined {
  const scalar = scalarOf(map, key);
  if (!scalar || scalar.value === null) return undefined;
  const choice = choices.find((candidate) => candidate === scalar.value);
  if (choice) return choice;
  const message = `'${key}' is '${String(scalar.value)}'; expected one of ${choices.join(", ")}.`;
  throw new RuleError("RULE_ATTRIBUTE_INVALID", message, scalar.at);
}

/** A list of texts; a single text is a list of one. */
export function textList(map: MapNode, key: string): readonly string[] {
  const value = entryOf(map, key)?.value;
  if (!value) return [];
  const items = value.kind === "list" ? value.items : [value];
  return items.flatMap((item) => {
    if (item.kind === "scalar") return textOf(item.value) ?? [];
    throw new RuleError("RULE_ATTRIBUTE_INVALID", `'${key}' must be a list of texts.`, item.at);
  });
}

function relatedOf(document: MapNode): readonly Related[] {
  const value = entryOf(document, "related")?.value;
  if (!value || (value.kind === "scalar" && value.value === null)) return [];
  const items = value.kind === "list" ? value.items : [value];
  return items.map((item) => {
    if (item.kind === "map") return { id: requireText(item, "id"), type: requireText(item, "type") };
    throw new RuleError(
      "RULE_ATTRIBUTE_INVALID",
      "'related' must be a list of maps with id and type.",
      item.at,
    );
  });
}

function customOf(document: MapNode): Readonly<Record<string, unknown>> {
  const entries = document.entries.filter(({ key }) => !known.has(key));
  return Object.fromEntries(entries.map(({ key, value }) => [key, toPlain(value)]));
}
