/** A part of a value: literal text, `many` (any length, also none) or `one` (exactly one character). */
export type PatternPart = { readonly literal: string } | "many" | "one";
export type Pattern = readonly PatternPart[];

/** What one value of a field is asked. */
export type Test =
  | { readonly kind: "pattern"; readonly pattern: Pattern; readonly cased: boolean }
  | { readonly kind: "compare"; readonly operator: "lt" | "lte" | "gt" | "gte"; readonly operand: number };

/** A detection with its condition resolved: data first, so that it can be hashed, explained and compiled. */
export type Expression =
  | { readonly kind: "and" | "or"; readonly of: readonly Expression[] }
  | { readonly kind: "not"; readonly of: Expression }
  /** Some value of the field passes some test (`any`), or every test is passed by some value (`all`). */
  | {
      readonly kind: "field";
      readonly field: string;
      readonly linkage: "any" | "all";
      readonly tests: readonly Test[];
    }
  /** The field is absent or null. */
  | { readonly kind: "null"; readonly field: string }
  | { readonly kind: "exists"; readonly field: string; readonly expected: boolean }
  /** Some value anywhere in the event passes some pattern. */
  | { readonly kind: "keywords"; readonly patterns: readonly Pattern[] };
