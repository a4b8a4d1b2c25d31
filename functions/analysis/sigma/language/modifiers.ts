import type { Comparison, Shape, TimePart } from "./expression.ts";
import { type Position, RuleError } from "./problem.ts";

/** What the values of a field are, from the first modifier behind its name. */
export type Reading =
  /** Texts with wildcards; the steps are done one after the other. */
  | { readonly kind: "text"; readonly steps: readonly TextStep[]; readonly cased: boolean }
  | {
      readonly kind: "regex";
      readonly flags: readonly RegexFlag[];
      readonly shape: Shape;
      readonly expand: boolean;
    }
  | { readonly kind: "cidr" }
  | { readonly kind: "exists" }
  | { readonly kind: "compare"; readonly operator: Comparison }
  | { readonly kind: "time"; readonly part: TimePart; readonly operator: Comparison | "eq" }
  | { readonly kind: "fieldref"; readonly shape: Shape; readonly cased: boolean };

export interface Modifiers {
  readonly linkage: "any" | "all";
  /** `neq`: the whole item is negated, whatever stands in its list. */
  readonly negated: boolean;
  readonly reading: Reading;
}

const shapes = ["contains", "startswith", "endswith"] as const;
const encodings = ["wide", "utf16", "utf16be"] as const;
const flags = ["i", "m", "s"] as const;
const comparisons = ["lt", "lte", "gt", "gte"] as const;
const timeParts = ["minute", "hour", "day", "week", "month", "year"] as const;
const textSteps = [...shapes, "windash", ...encodings, "base64", "base64offset", "expand"] as const;

export type RegexFlag = (typeof flags)[number];
export type Encoding = (typeof encodings)[number];
export type TextStep = (typeof textSteps)[number];

/** Say something about the item as a whole, not about its values. */
const itemModifiers = ["all", "neq"] as const;
const aliases: ReadonlyMap<string, string> = new Map([
  ["ignorecase", "i"],
  ["multiline", "m"],
  ["dotall", "s"],
  ["utf16le", "wide"],
]);

const modifiers: readonly string[] = [
  ...itemModifiers,
  ..."cased exists re cidr fieldref".split(" "),
  ...flags,
  ...comparisons,
  ...timeParts,
  ...textSteps,
];

/** What may stand behind the modifiers that decide what a value is; the others read texts. */
const followers: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ["re", [...flags, ...shapes, "expand"]],
  ["cidr", []],
  ["exists", []],
  ["fieldref", [...shapes, "cased"]],
  ...comparisons.map((name) => [name, []] as const),
  ...timeParts.map((name) => [name, comparisons] as const),
]);
const textModifiers: readonly string[] = ["cased", ...textSteps];

/** The key of an item, for messages. */
interface Item {
  readonly key: string;
  readonly at: Position;
}

/** Reads the modifiers of an item (Sigma specification, appendix modifiers); throws RuleError. */
export function parseModifiers(names: readonly string[], item: Item): Modifiers {
  const known = names.map((name) => knownName(name, item));
  const twice = known.find((name, index) => known.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`'${twice}' is given twice`, item);
  const own = known.filter((name) => !isOneOf(name, itemModifiers));
  if (known.includes("re") && known[0] !== "re") throw invalid("'re' must be the first modifier", item);
  if (known.includes("exists") && known.length > 1) throw invalid("'exists' stands alone", item);
  return {
    linkage: known.includes("all") ? "all" : "any",
    negated: known.includes("neq"),
    reading: parseReading(own, item),
  };
}

function knownName(name: string, item: Item): string {
  const canonical = aliases.get(name) ?? name;
  if (modifiers.includes(canonical)) return canonical;
  const choices = [...modifiers, ...aliases.keys()].toSorted().join(", ");
  const message = `Unknown modifier '${name}' in '${item.key}'; there are ${choices}.`;
  throw new RuleError("RULE_MODIFIER_UNKNOWN", message, item.at);
}

function parseReading(names: readonly string[], item: Item): Reading {
  const [first = "", ...rest] = names;
  const allowed = followers.get(first);
  for (const name of allowed ? rest : names) checkFollower(name, { first, allowed, item });
  if (names.filter((name) => isOneOf(name, shapes)).length > 1)
    throw invalid(`${shapes.join(", ")} exclude each other`, item);
  return allowed ? parseFirst(first, rest, item) : parseText(names, item);
}

function checkFollower(
  name: string,
  context: { readonly first: string; readonly allowed?: readonly string[] | undefined; readonly item: Item },
): void {
  const { first, allowed, item } = context;
  if ((allowed ?? textModifiers).includes(name)) return;
  if (allowed) {
    const choices = [...allowed, ...itemModifiers].join(", ");
    throw invalid(`'${name}' cannot follow '${first}'; only ${choices} can`, item);
  }
  if (isOneOf(name, flags)) throw invalid(`'${name}' is a flag of 're' and follows it`, item);
  throw invalid(`'${name}' must be the first modifier`, item);
}

function parseFirst(first: string, rest: readonly string[], item: Item): Reading {
  const shape = rest.find((name) => isOneOf(name, shapes)) ?? "equals";
  const operator = comparisons.find((name) => name === first);
  if (operator) return { kind: "compare", operator };
  const part = timeParts.find((name) => name === first);
  if (part) return { kind: "time", part, operator: timeOperator(rest, item) };
  switch (first) {
    case "re":
      return {
        kind: "regex",
        flags: flags.filter((flag) => rest.includes(flag)),
        shape,
        expand: rest.includes("expand"),
      };
    case "fieldref":
      return { kind: "fieldref", shape, cased: rest.includes("cased") };
    case "cidr":
      return { kind: "cidr" };
    default:
      return { kind: "exists" };
  }
}

function timeOperator(rest: readonly string[], item: Item): Comparison | "eq" {
  if (rest.length > 1) throw invalid(`Only one of ${rest.join(", ")} can stand here`, item);
  return comparisons.find((name) => name === rest[0]) ?? "eq";
}

function parseText(names: readonly string[], item: Item): Reading {
  const steps = names.filter((name) => isOneOf(name, textSteps));
  for (const [index, step] of steps.entries()) {
    const next = steps[index + 1];
    const encodesNext = next === "base64" || next === "base64offset";
    if (isOneOf(step, encodings) && !encodesNext)
      throw invalid(`'${step}' must be followed by base64 or base64offset`, item);
    if (isOneOf(step, shapes) && (encodesNext || (next !== undefined && isOneOf(next, encodings))))
      throw invalid(`'${next}' must come before '${step}': wildcards cannot be encoded`, item);
  }
  return { kind: "text", steps, cased: names.includes("cased") };
}

function isOneOf<Name extends string>(name: string, names: readonly Name[]): name is Name {
  return names.some((candidate) => candidate === name);
}

function invalid(message: string, { key, at }: Item): RuleError {
  return new RuleError("RULE_MODIFIER_INVALID", `${message} (in '${key}').`, at);
}
