import type { Pattern, Test } from "./expression.ts";
import { type Position, RuleError } from "./problem.ts";
import { joinPattern } from "./pattern.ts";

/** How the values of a field are to be read, from the modifiers behind its name. */
export interface Modifiers {
  readonly linkage: "any" | "all";
  readonly cased: boolean;
  readonly shape: "equals" | "contains" | "startswith" | "endswith";
  readonly exists: boolean;
  readonly compare?: Extract<Test, { kind: "compare" }>["operator"] | undefined;
}

const plain: Modifiers = { linkage: "any", cased: false, shape: "equals", exists: false };

const supported = [
  "all",
  "cased",
  "contains",
  "startswith",
  "endswith",
  "exists",
  "lt",
  "lte",
  "gt",
  "gte",
] as const;

/** Sigma's other modifiers: refused rather than ignored, because ignoring one changes what matches. */
const unsupported: ReadonlySet<string> = new Set(
  (
    "re i m s ignorecase multiline dotall cidr neq fieldref expand windash base64 base64offset wide " +
    "utf16 utf16le utf16be minute hour day week month year"
  ).split(" "),
);

/** Reads the modifiers of an item, in written order; `where` names the item for messages. */
export function parseModifiers(names: readonly string[], where: string, at: Position): Modifiers {
  let modifiers = plain;
  for (const name of names) modifiers = apply(modifiers, known(name, where, at), { where, at });
  const valueModifiers = [modifiers.exists, modifiers.compare !== undefined, modifiers.shape !== "equals"];
  if (valueModifiers.filter(Boolean).length > 1 || (modifiers.cased && valueModifiers[0])) {
    throw new RuleError("RULE_MODIFIER_INVALID", `The modifiers of ${where} exclude each other.`, at);
  }
  return modifiers;
}

type Supported = (typeof supported)[number];

function known(name: string, where: string, at: Position): Supported {
  const found = supported.find((modifier) => modifier === name);
  if (found) return found;
  const choices = `supported are ${supported.join(", ")}`;
  if (unsupported.has(name)) {
    throw new RuleError(
      "RULE_MODIFIER_UNSUPPORTED",
      `The modifier '${name}' in ${where} is not supported yet; ${choices}.`,
      at,
    );
  }
  throw new RuleError("RULE_MODIFIER_UNKNOWN", `Unknown modifier '${name}' in ${where}; ${choices}.`, at);
}

function apply(
  before: Modifiers,
  name: Supported,
  { where, at }: { readonly where: string; readonly at: Position },
): Modifiers {
  switch (name) {
    case "all":
      return { ...before, linkage: "all" };
    case "cased":
      return { ...before, cased: true };
    case "exists":
      return { ...before, exists: true };
    case "contains":
    case "startswith":
    case "endswith":
      if (before.shape === "equals") return { ...before, shape: name };
      throw new RuleError("RULE_MODIFIER_INVALID", `'${name}' follows '${before.shape}' in ${where}.`, at);
    case "lt":
    case "lte":
    case "gt":
    case "gte":
      if (before.compare === undefined) return { ...before, compare: name };
      throw new RuleError("RULE_MODIFIER_INVALID", `'${name}' follows '${before.compare}' in ${where}.`, at);
    default:
      return name satisfies never;
  }
}

/** Adds wildcards to the parsed value, never to its text: there a trailing backslash would escape them. */
export function shapePattern(pattern: Pattern, shape: Modifiers["shape"]): Pattern {
  switch (shape) {
    case "equals":
      return pattern;
    case "contains":
      return joinPattern(["many", ...pattern, "many"]);
    case "startswith":
      return joinPattern([...pattern, "many"]);
    case "endswith":
      return joinPattern(["many", ...pattern]);
    default:
      return shape satisfies never;
  }
}
