import { digest } from "./digest.ts";
import type { WindowCondition, WindowLimits, WindowStep } from "./state.ts";

/** Values of more UTF-8 bytes are known by their hash, so that entries stay small whatever events hold. */
const maxValueBytes = 64;
/** Rules are bits of a whole number that is exact wherever bits are counted. */
const maxRules = 31;

/**
 * What a member shows to the condition: its value for `distinct`, the numbers of its rules that the
 * condition asks about for `rules` and `sequence`, nothing for `count`.
 */
export function factsOf({ condition, value = "", rules = 0 }: WindowStep): readonly string[] {
  if (condition.kind === "count") return [];
  if (condition.kind === "distinct") return [bounded(value)];
  checkBits(rules);
  return bitsOf(rules & askedRules(condition)).map(String);
}

/**
 * The name under which a member is held. Facts come first and are length-prefixed in bytes, so that no
 * text in them can be taken for another fact or member.
 */
export function entryTag({ condition }: Pick<WindowStep, "condition">, facts: readonly string[]): string {
  if (condition.kind === "count") return "";
  const text = facts.join(",");
  return `${Buffer.byteLength(text)}:${text}`;
}

/** How many members a group may hold: as many as allowed, but not fewer than its condition needs. */
export function memberLimit({ condition }: Pick<WindowStep, "condition">, limits: WindowLimits): number {
  return Math.max(limits.membersPerGroup, neededBy(condition));
}

/** How many facts a group may hold beside its members: as many values, and all rules. */
export function factLimit(step: Pick<WindowStep, "condition">, limits: WindowLimits): number {
  return step.condition.kind === "distinct" ? memberLimit(step, limits) : maxRules;
}

/** The fewest members a condition may need. */
function neededBy(condition: WindowCondition): number {
  if (condition.kind === "rules") return Math.max(0, ...condition.anyOf.map((set) => bitsOf(set).length));
  return condition.kind === "sequence" ? condition.length : condition.atLeast;
}

/** The numbers of the set bits, ascending. */
export function bitsOf(rules: number): readonly number[] {
  return Array.from({ length: maxRules }, (_, bit) => bit).filter((bit) => (rules >>> bit) & 1);
}

/** Throws a RangeError for a condition that no window could evaluate, or that every window would satisfy. */
export function checkCondition(condition: WindowCondition): void {
  if (condition.kind === "rules") {
    condition.anyOf.forEach(checkBits);
    if (condition.anyOf.includes(0)) throw new RangeError("A set of no rules is seen in every window.");
    return;
  }
  const needed = neededBy(condition);
  const most = condition.kind === "sequence" ? maxRules : Number.MAX_SAFE_INTEGER;
  if (Number.isInteger(needed) && needed >= 1 && needed <= most) return;
  throw new RangeError(`A ${condition.kind} of ${needed} cannot be evaluated.`);
}

function askedRules(condition: Extract<WindowCondition, { kind: "rules" | "sequence" }>): number {
  if (condition.kind === "sequence") return 2 ** condition.length - 1;
  return condition.anyOf.reduce((all, set) => all | set, 0);
}

function checkBits(rules: number): void {
  if (Number.isInteger(rules) && rules >= 0 && rules < 2 ** maxRules) return;
  throw new RangeError(`Rules are bits of a whole number below 2^${maxRules}, got ${rules}.`);
}

/** `=` before what is verbatim, `#` before a hash: no value can pass for another one's hash. */
function bounded(value: string): string {
  const isShort = Buffer.byteLength(value) <= maxValueBytes && value.isWellFormed();
  return isShort ? `=${value}` : `#${digest(value)}`;
}
