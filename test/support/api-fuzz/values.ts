import { type Document, resolve, type Schema } from "./document.ts";

/** What stands for a value of a name where any text would lead nowhere, such as ids that exist. */
export type Known = Readonly<Record<string, readonly unknown[]>>;

export interface Chance {
  /** From 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
  readonly known: Known;
  /** Members that are given although the document leaves the choice. */
  readonly always: ReadonlySet<string>;
  readonly document: Document;
}

export function pick<T>({ random }: Pick<Chance, "random">, from: readonly T[]): T {
  const value = from[Math.floor(random() * from.length)];
  if (value === undefined) throw new Error("There is nothing to pick from.");
  return value;
}

const integer = ({ random }: Pick<Chance, "random">, from: number, to: number): number =>
  from + Math.floor(random() * (to - from + 1));

/** Texts that have broken something somewhere. */
export const nasty: readonly string[] = [
  "\u0000",
  "a\u0000b",
  "'; drop table alerts; --",
  "%00%ff",
  "../../etc/passwd",
  "__proto__",
  "constructor",
  "<script>alert(1)</script>",
  "{{7*7}}",
  "\\",
  '"',
  "%",
  "_",
  "*",
  "-",
  "null",
  "NaN",
  "1e309",
  "١٢٣",
  "\u202e\ufeff",
  "🦊".repeat(40),
  " ",
  "\r\n",
];

/** A value that the schema allows, as far as a schema tells. */
export function valid(name: string, schema: Schema, chance: Chance): unknown {
  const { random, known, document } = chance;
  const found = resolve(document, schema);
  const listed = Object.hasOwn(known, name) ? known[name] : undefined;
  if (listed !== undefined && random() < 0.8) return pick(chance, listed);
  if (found.const !== undefined) return found.const;
  if (found.enum !== undefined) return pick(chance, found.enum);
  if (found.example !== undefined && random() < 0.2) return found.example;
  const options = found.oneOf ?? found.anyOf;
  if (options !== undefined) return valid(name, pick(chance, options), chance);
  if (found.allOf !== undefined) {
    return Object.assign({}, ...found.allOf.map((part) => valid(name, part, chance)));
  }
  return ofType(name, found, chance);
}

function ofType(name: string, schema: Schema, chance: Chance): unknown {
  const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? ["anything"]);
  switch (pick(chance, types)) {
    case "null":
      return null;
    case "boolean":
      return chance.random() < 0.5;
    case "integer":
    case "number":
      return integer(chance, schema.minimum ?? 0, schema.maximum ?? 1000);
    case "string":
      return text(schema, chance);
    case "array":
      return Array.from(
        { length: integer(chance, schema.minItems ?? 0, Math.min(schema.maxItems ?? 3, 3)) },
        () => valid(name, schema.items ?? {}, chance),
      );
    case "object":
      return object(schema, chance);
    default:
      return pick(chance, [null, 7, "text", [], { a: { b: [1] } }]);
  }
}

function object({ properties = {}, required = [] }: Schema, chance: Chance): unknown {
  const wanted = Object.entries(properties).filter(
    ([name]) => required.includes(name) || chance.always.has(name) || chance.random() < 0.4,
  );
  return Object.fromEntries(wanted.map(([name, member]) => [name, valid(name, member, chance)]));
}

function text({ format, minLength = 0, maxLength = 60 }: Schema, chance: Chance): string {
  if (format === "uuid") return uuid(chance);
  if (format === "date-time")
    return new Date(Date.now() + integer(chance, 1, 300) * 86_400_000).toISOString();
  if (chance.random() < 0.3) {
    const some = pick(chance, nasty);
    if (some.length >= minLength && some.length <= maxLength) return some;
  }
  const length = integer(chance, Math.max(minLength, 1), Math.max(minLength, Math.min(maxLength, 20)));
  return Array.from({ length }, () => pick(chance, letters)).join("");
}

const letters = ["a", "b", "c", "X", "Y", "Z", "0", "1", "9", " ", "-", "_", ".", ":", "é"];

function uuid(chance: Pick<Chance, "random">): string {
  const digits = (count: number) =>
    Array.from({ length: count }, () => integer(chance, 0, 15).toString(16)).join("");
  return `${digits(8)}-${digits(4)}-5${digits(3)}-a${digits(3)}-${digits(12)}`;
}
