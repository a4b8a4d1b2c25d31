import { type Assertion, type AsciiSet, bit, type Regex } from "./regex-syntax.ts";

/** Steps a backtracking engine may take for one text; less than a millisecond. */
const budget = 400_000;
const longest = 65_536;

/**
 * Up to which length of (ASCII) text a backtracking engine provably stays within the budget, whatever
 * the text; 0 when that is not worth having. Nested or alternating repetitions, whose ways to match grow
 * exponentially, get 0; the others a bound that is a polynomial of the length.
 */
export function safeLength(regex: Regex): number {
  let safe = 0;
  for (let length = 16; length <= longest; length *= 2) {
    const starts = isAnchored(regex) ? 1 : length + 1;
    if (starts * stepsOf(regex, length).steps > budget) break;
    safe = length;
  }
  return safe;
}

function isAnchored(regex: Regex): boolean {
  if (regex.kind === "assert") return regex.what === "text-start";
  if (regex.kind === "choice") return regex.of.every(isAnchored);
  return regex.kind === "sequence" && regex.of[0] !== undefined && isAnchored(regex.of[0]);
}

/** How many steps are taken at most from one place, and in how many ways the rest may have to be tried. */
interface Effort {
  readonly steps: number;
  readonly ways: number;
}

function stepsOf(regex: Regex, length: number): Effort {
  switch (regex.kind) {
    case "set":
    case "assert":
      return { steps: 1, ways: 1 };
    case "choice":
      return regex.of
        .map((branch) => stepsOf(branch, length))
        .reduce((sum, one) => ({ steps: sum.steps + one.steps + 1, ways: sum.ways + one.ways }), {
          steps: 0,
          ways: 0,
        });
    case "sequence":
      return regex.of
        .map((part, i) =>
          leavesOneWay(part, regex.of[i + 1]) ? { steps: length, ways: 1 } : stepsOf(part, length),
        )
        .reduceRight(
          (rest, one) => ({ steps: one.steps + one.ways * rest.steps, ways: one.ways * rest.ways }),
          {
            steps: 0,
            ways: 1,
          },
        );
    case "repeat":
      return stepsOfRepeat(regex, length);
    default:
      return regex satisfies never;
  }
}

function stepsOfRepeat({ of, min, max }: Extract<Regex, { kind: "repeat" }>, length: number): Effort {
  const { steps, ways } = stepsOf(of, length);
  const most = Math.min(max, length + 1);
  if (ways === 1) return { steps: (steps + 1) * Math.max(min, most), ways: Math.max(1, most - min + 1) };
  if (max > 8) return { steps: Number.POSITIVE_INFINITY, ways: Number.POSITIVE_INFINITY };
  const each = Array.from({ length: max + 1 }, (_, count) => ways ** count);
  const sum = each.reduce((total, one) => total + one, 0);
  return { steps: sum * (steps + 1), ways: sum };
}

/** A repeated class in front of something it holds nothing of: giving characters back can never help. */
function leavesOneWay(part: Regex, next: Regex | undefined): boolean {
  return (
    part.kind === "repeat" &&
    part.of.kind === "set" &&
    next?.kind === "set" &&
    (part.of.set & next.set) === 0n
  );
}

/** The least number of characters a match has. */
export function leastLength(regex: Regex): number {
  switch (regex.kind) {
    case "set":
      return 1;
    case "assert":
      return 0;
    case "choice":
      return Math.min(...regex.of.map(leastLength));
    case "sequence":
      return regex.of.reduce((sum, part) => sum + leastLength(part), 0);
    case "repeat":
      return regex.min * leastLength(regex.of);
    default:
      return regex satisfies never;
  }
}

/** More alternatives than this are no gate but a list. */
const mostLiterals = 32;

/** Texts in lower case of which one must be part of every match, case aside; `undefined` when there is no such list. */
export function requiredLiterals(regex: Regex): readonly string[] | undefined {
  switch (regex.kind) {
    case "set": {
      const char = letterOf(regex.set);
      return char === undefined ? undefined : [char];
    }
    case "assert":
      return undefined;
    case "choice": {
      const branches = regex.of.map(requiredLiterals);
      const literals = branches.flatMap((branch) => branch ?? []);
      return branches.every((branch) => branch) && literals.length <= mostLiterals ? literals : undefined;
    }
    case "repeat":
      return regex.min > 0 ? requiredLiterals(regex.of) : undefined;
    case "sequence":
      return literalsOfSequence(regex.of);
    default:
      return regex satisfies never;
  }
}

/** Of all lists a sequence offers, the one whose shortest text is longest. */
function literalsOfSequence(parts: readonly Regex[]): readonly string[] | undefined {
  let best: readonly string[] | undefined;
  const offer = (literals: readonly string[] | undefined) => {
    if (literals && strengthOf(literals) > strengthOf(best)) best = literals;
  };
  let run = "";
  for (const part of parts) {
    const char = part.kind === "set" ? letterOf(part.set) : undefined;
    if (char !== undefined) run += char;
    else {
      offer([run]);
      // An assertion has no length, so what stands around it still stands together.
      if (part.kind !== "assert") run = "";
      offer(requiredLiterals(part));
    }
  }
  offer([run]);
  return best;
}

function strengthOf(literals: readonly string[] | undefined): number {
  return literals ? Math.min(...literals.map(({ length }) => length)) : 0;
}

/** The one character of a set, case aside. */
function letterOf(set: AsciiSet): string | undefined {
  const codes: number[] = [];
  for (let code = 0; code < 128 && codes.length < 3; code += 1) if (set & bit(code)) codes.push(code);
  const letters = new Set(codes.map((code) => String.fromCharCode(code).toLowerCase()));
  const [only] = letters;
  return letters.size === 1 ? only : undefined;
}

/** The same expression for JavaScript's engine; line ends are RE2's. */
export function toJavaScript(regex: Regex): string {
  switch (regex.kind) {
    case "set":
      return writeSet(regex.set);
    case "assert":
      return written[regex.what];
    case "choice":
      return `(?:${regex.of.map(toJavaScript).join("|")})`;
    case "sequence":
      return regex.of.map(toJavaScript).join("");
    case "repeat": {
      const max = regex.max === Number.POSITIVE_INFINITY ? "" : regex.max;
      return `(?:${toJavaScript(regex.of)}){${regex.min},${max}}`;
    }
    default:
      return regex satisfies never;
  }
}

const written: Readonly<Record<Assertion, string>> = {
  "text-start": "^",
  "text-end": "$",
  "line-start": String.raw`(?:^|(?<=\n))`,
  "line-end": String.raw`(?:$|(?=\n))`,
  word: String.raw`\b`,
  "no-word": String.raw`\B`,
};

function writeSet(set: AsciiSet): string {
  let text = "";
  for (let code = 0; code < 128; code += 1) {
    if (!(set & bit(code))) continue;
    let last = code;
    while (last < 127 && set & bit(last + 1)) last += 1;
    text += `${hex(code)}-${hex(last)}`;
    code = last;
  }
  return `[${text}]`;
}

function hex(code: number): string {
  return String.raw`\x${code.toString(16).padStart(2, "0")}`;
}
