/** A part of a value: literal text, `many` (any length, also none) or `one` (exactly one character). */
export type PatternPart = { readonly literal: string } | "many" | "one";
export type Pattern = readonly PatternPart[];

/** How a value is held against a text: as a whole, or as a part of it. */
export type Shape = "equals" | "contains" | "startswith" | "endswith";

export type Comparison = "lt" | "lte" | "gt" | "gte";

/** Parts of a moment, in UTC; `week` is the ISO 8601 week. */
export type TimePart = "minute" | "hour" | "day" | "week" | "month" | "year";

/**
 * What one value of a field is asked. Plain data without functions, so that it can be hashed, packed as
 * JSON, explained and compiled.
 */
export type Test =
  /** The whole text is like the pattern; without `cased`, both sides are folded. */
  | { readonly kind: "pattern"; readonly pattern: Pattern; readonly cased: boolean }
  /** The regular expression is found somewhere in the text; `flags` are some of `i`, `m`, `s`, in this order. */
  | { readonly kind: "regex"; readonly source: string; readonly flags: string }
  /** The text is an IP address of the network; `bytes` are 4 or 16, and no bit behind `prefix` is set. */
  | { readonly kind: "cidr"; readonly bytes: readonly number[]; readonly prefix: number }
  /** A number, or a text that is one. */
  | { readonly kind: "compare"; readonly operator: Comparison; readonly operand: number }
  /** A part of a timestamp. */
  | {
      readonly kind: "time";
      readonly part: TimePart;
      readonly operator: Comparison | "eq";
      readonly operand: number;
    }
  /** Some value of another field of the same event, taken literally. */
  | {
      readonly kind: "fieldref";
      readonly field: string;
      readonly shape: Shape;
      readonly cased: boolean;
    }
  /** What one written value expands to (`windash`, `base64offset`): any of them will do, also under `all`. */
  | { readonly kind: "any"; readonly of: readonly Test[] };

/** A detection with its condition resolved. */
export type Expression =
  | { readonly kind: "and" | "or"; readonly of: readonly Expression[] }
  | { readonly kind: "not"; readonly of: Expression }
  /** A search identifier, kept so that it can be explained; it means what `of` means. */
  | { readonly kind: "named"; readonly name: string; readonly of: Expression }
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
  /** Some value anywhere in the event passes some test (a pattern or a regular expression). */
  | { readonly kind: "keywords"; readonly tests: readonly Test[] };
