import type { Pattern, Test } from "../language/expression.ts";
import { regexOf } from "./regex.ts";
import type { Place } from "./needle.ts";
import { gate } from "./scanner.ts";

/**
 * What must be seen in a value for a test to pass it: a literal at a place, or nothing in particular
 * (`any`: the test must then be tried on every value). `exact`: seeing the literal is passing the test.
 */
export type Atom =
  | { readonly kind: "literal"; readonly literal: string; readonly place: Place; readonly exact: boolean }
  | { readonly kind: "any" };

/** One of the atoms is seen in every value that passes the test. */
export function atomsOf(test: Test): readonly Atom[] {
  switch (test.kind) {
    case "pattern":
      return [atomOfPattern(test.pattern, !test.cased)];
    case "regex": {
      const { literals } = regexOf(test);
      if (literals.length === 0) return [{ kind: "any" }];
      return literals.map((literal) => ({
        kind: "literal",
        literal: gate(literal),
        place: "anywhere",
        exact: false,
      }));
    }
    case "any":
      return test.of.flatMap(atomsOf);
    case "cidr":
    case "compare":
    case "time":
    case "fieldref":
      return [{ kind: "any" }];
    default:
      return test satisfies never;
  }
}

/** The longest literal of a pattern, and where it stands. */
function atomOfPattern(pattern: Pattern, folded: boolean): Atom {
  const written = pattern.map((part) => (typeof part === "object" ? part.literal : ""));
  const literals = written.map(gate);
  const lengths = literals.map(({ length }) => length);
  const index = lengths.indexOf(Math.max(...lengths));
  const literal = literals[index] ?? "";
  if (pattern.length > 0 && literal === "") return { kind: "any" };
  const before = pattern.slice(0, index);
  const after = pattern.slice(index + 1);
  const place = placeOf(before, after);
  // A gate is coarser than folding: what it has changed it also finds where it does not stand.
  const exact =
    folded &&
    literal === written[index] &&
    (before.length === 0 || isMany(before)) &&
    (after.length === 0 || isMany(after));
  return { kind: "literal", literal, place, exact };
}

function isMany(parts: Pattern): boolean {
  return parts.length === 1 && parts[0] === "many";
}

function placeOf(before: Pattern, after: Pattern): Place {
  if (before.length === 0) return after.length === 0 ? "whole" : "start";
  return after.length === 0 ? "end" : "anywhere";
}
