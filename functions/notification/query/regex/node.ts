import type { CharacterSet } from "./characters.ts";

/** A regular expression as far as RE2 and PostgreSQL mean the same by it. */
export type RegexNode =
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "sequence" | "choice"; readonly of: readonly RegexNode[] }
  | { readonly kind: "repeat"; readonly of: RegexNode; readonly min: number; readonly max: number }
  | { readonly kind: "start" | "end" };

/** About how many states an engine makes of it: repetitions are written out. */
export function sizeOf(node: RegexNode): number {
  switch (node.kind) {
    case "sequence":
    case "choice":
      return node.of.reduce((sum, part) => sum + sizeOf(part), 1);
    case "repeat":
      return 1 + sizeOf(node.of) * timesOf(node);
    case "set":
    case "start":
    case "end":
      return 1;
    default:
      return node satisfies never;
  }
}

/**
 * How many parts may be left out or go on for ever, repetitions written out. Each can be followed by what
 * comes after the next one, so the arcs of an automaton grow with their square and more.
 */
export function gapsOf(node: RegexNode): number {
  switch (node.kind) {
    case "sequence":
    case "choice": {
      const isGap = node.kind === "choice" && node.of.some(isEmpty);
      return node.of.reduce((sum, part) => sum + gapsOf(part), isGap ? 1 : 0);
    }
    case "repeat": {
      const isGap = node.min === 0 || node.max === Infinity;
      return (isGap ? 1 : 0) + gapsOf(node.of) * timesOf(node);
    }
    case "set":
    case "start":
    case "end":
      return 0;
    default:
      return node satisfies never;
  }
}

function isEmpty(node: RegexNode): boolean {
  return node.kind === "sequence" && node.of.every(isEmpty);
}

/** How often a repetition is written out. */
function timesOf({ min, max }: RegexNode & { readonly kind: "repeat" }): number {
  return Math.max(1, Number.isFinite(max) ? max : min);
}

/** Whether it looks at where it stands. */
export function isAnchored(node: RegexNode): boolean {
  switch (node.kind) {
    case "sequence":
    case "choice":
      return node.of.some(isAnchored);
    case "repeat":
      return isAnchored(node.of);
    case "set":
      return false;
    case "start":
    case "end":
      return true;
    default:
      return node satisfies never;
  }
}
