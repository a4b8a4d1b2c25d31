import * as fc from "fast-check";

import { ids, text } from "./alerts.testing.ts";
import { flags, type Key, keys, optionalNames } from "./keys.ts";

const order = fc.constantFrom(">", ">=", "<", "<=");

/** A value as it is written in a query: bare where it can be, quoted, or with wildcards. */
const written = fc.oneof(
  text.map(quote),
  fc.constantFrom(
    "root",
    "ROOT",
    "r*t",
    "*oo*",
    "*",
    "ro*",
    "*t",
    '"ro"*',
    "é*",
    "É*",
    "K",
    "k",
    "ssh-login",
    "r\\o",
    "**",
    "ro_t",
    "*%",
  ),
);

function quote(value: string): string {
  return `"${value.replace(/["\\]/g, String.raw`\$&`)}"`;
}

const regexes = fc.constantFrom(
  "root",
  "^root$",
  "R[O0]+T",
  "^.{2,4}$",
  "(ssh|root)-?",
  "[^a-z]",
  "[^A-Z]",
  "^[[:alpha:]]+$",
  "\\d",
  "^\\W*$",
  "\\s",
  "(?s)line.break",
  "line.break",
  "^$",
  "é",
  "[À-ÿ]",
  "\\x{1F600}",
  "a?b*",
  "(|x)oo",
  '"^a,b$"',
  '"\\\\(a"',
);

const values = (value: fc.Arbitrary<string>) =>
  fc.array(value, { minLength: 1, maxLength: 3 }).map((list) => list.join(","));

const counts = fc.constantFrom("0", "1", "2", "10", "999999999999999");
const durations = ["0s", "1s", "1m", "15m", "1h", "1d", "100w"];
const instants = ["2026-11-21", "2026-11-21T12:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"];
const times = fc.constantFrom(...durations, ...instants);
const someIds = fc.constantFrom(...ids, ids[0]?.toUpperCase() ?? "", "*", "*a*", `${ids[1]?.slice(0, 4)}*`);

/** What stands behind a name: a sign and values. */
const equal = (value: fc.Arbitrary<string>) =>
  fc.tuple(fc.constantFrom(":", ":", "=", "!="), values(value)).map((parts) => parts.join(""));
const ordered = (value: fc.Arbitrary<string>) =>
  fc.tuple(fc.constant(":"), order, value).map((parts) => parts.join(""));
const regex = fc.tuple(fc.constantFrom(":~", "=~", "!~"), regexes).map((parts) => parts.join(""));

function testOf(key: Key): fc.Arbitrary<string> {
  if (key.kind === "id") return fc.oneof(equal(someIds), regex);
  if (key.kind === "number") return fc.oneof(equal(counts), ordered(counts));
  if (key.kind === "time") return ordered(times);
  if (key.kind !== "enum") return fc.oneof({ weight: 3, arbitrary: equal(written) }, regex);
  const value = fc.constantFrom(...key.values, ...key.values.map((each) => each.toLowerCase()));
  return key.rank ? fc.oneof(equal(value), ordered(value)) : equal(value);
}

/** One filter of a key, in each of the ways its kind knows. */
const filter: fc.Arbitrary<string> = fc
  .constantFrom(...keys)
  .chain((key) =>
    fc.tuple(fc.constantFrom(key.name, key.name.toUpperCase(), ...(key.aliases ?? [])), testOf(key)),
  )
  .map((parts) => parts.join(""));

const term = fc.oneof(
  { weight: 6, arbitrary: filter },
  { weight: 2, arbitrary: written.filter((value) => value !== '""') },
  values(fc.constantFrom(...flags)).map((list) => `is:${list}`),
  values(fc.constantFrom(...optionalNames)).map((list) => `has:${list}`),
);

/** Terms side by side, some of them groups of alternatives, to a depth. */
function queryOf(depth: number): fc.Arbitrary<string> {
  const group = fc
    .array(depth > 0 ? queryOf(depth - 1) : term, { minLength: 1, maxLength: 3 })
    .map((branches) => `(${branches.join(" OR ")})`);
  const part = fc.oneof({ weight: 3, arbitrary: term }, { weight: 1, arbitrary: group });
  const signed = fc.tuple(fc.boolean(), part).map(([negated, inner]) => (negated ? `-${inner}` : inner));
  return fc.array(signed, { minLength: 1, maxLength: 2 }).map((terms) => terms.join(" "));
}

/** Valid queries, as text. */
export const queries: fc.Arbitrary<string> = queryOf(2);
