import * as fc from "fast-check";

/** Each of one or a few characters; blanks stand between them, and a blank itself comes last. */
const atoms = fc.constantFrom(
  ...String.raw`a b A Z 0 _ - \. \\ \[ . ^ $ \A \z \d \W \s \S [ab] [^a] [A-C] [^A-Z] [a-] []x] [^\d] [\w-] [\W0]
    [[:upper:]_] [^[:space:]] \x41 \x{62} \t \n \* (a|b) (?:ab|) (?P<n>a) () } ] ,`.split(/\s+/),
  " ",
);
const quantifiers = fc.constantFrom(
  "",
  "",
  "",
  "*",
  "+",
  "?",
  "*?",
  "+?",
  "??",
  "{2}",
  "{1,3}",
  "{2,}",
  "{0}",
  "{0,1}?",
);

/** Expressions of what is read here; some of them are refused all the same. */
export const expressions: fc.Arbitrary<string> = fc
  .letrec<{ choice: string; sequence: string; part: string }>((tie) => ({
    choice: fc.array(tie("sequence"), { minLength: 1, maxLength: 2 }).map((all) => all.join("|")),
    sequence: fc.array(tie("part"), { maxLength: 4 }).map((all) => all.join("")),
    part: fc
      .tuple(
        fc.oneof(
          { maxDepth: 2 },
          { weight: 5, arbitrary: atoms },
          { weight: 1, arbitrary: tie("choice").map((inner) => `(${inner})`) },
        ),
        quantifiers,
      )
      .map((parts) => parts.join("")),
  }))
  .choice.chain((inner) => fc.constantFrom(inner, inner, `(?s)${inner}`, `(?i)${inner}`));

/** Short ASCII texts of the characters that the expressions speak of. */
export const texts: fc.Arbitrary<string> = fc.string({
  unit: fc.constantFrom(...Array.from("aabbABZz09_ .-\\[]x*,\n\t}")),
  maxLength: 6,
});
