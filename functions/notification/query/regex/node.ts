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
      return 1 + sizeOf(node.of) * Math.max(1, Number.isFinite(node.max) ? node.max : node.min);
    case "set":
    case "start":
    case "end":
      return 1;
    default:
      return node satisfies never;
  }
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
