import type { Logsource } from "../../events/logsource.ts";
import { sourceDescriptions } from "../../events/sources/registry.ts";
import type { FieldMap, SourceDescription } from "../../events/sources/source.ts";

/** What is added to the fields of an event because of its log source. */
export type AddSourceFields = (fields: Record<string, unknown>, logsource: Logsource) => void;

/** A dotted name and its parts: a record may have it as a key (`proc.cmdline`) or as nested objects. */
interface Path {
  readonly name: string;
  readonly first: string;
  readonly steps: readonly string[];
}

/** A name rules use, and the paths to what it means. */
interface Mapping {
  readonly target: Path;
  readonly sources: readonly Path[];
}

/** The mappings of the records that assert a log source; attributes in lower case, as the data files have them. */
interface Plan {
  readonly product: string | undefined;
  readonly category: string | undefined;
  readonly service: string | undefined;
  readonly lift: readonly string[];
  readonly mappings: readonly Mapping[];
}

/**
 * Compiles the data files of the log sources. Names are added, never replaced: what a record calls by a
 * mapped name itself stays what it is.
 */
export function compileSourceFields(descriptions = sourceDescriptions): AddSourceFields {
  const plans = descriptions.flatMap(plansOf);
  const useful = plans.filter(({ lift, mappings }) => lift.length + mappings.length > 0);
  const byProduct = Map.groupBy(useful, ({ product }) => product);
  const ofAny = byProduct.get(undefined) ?? [];

  return (fields, logsource) => {
    const { product } = logsource;
    const own = product === undefined ? undefined : byProduct.get(product.toLowerCase());
    if (own) apply(own, fields, logsource);
    apply(ofAny, fields, logsource);
  };
}

function plansOf({ logsource, fields, lift = [], variants = [] }: SourceDescription): readonly Plan[] {
  const all = [{ logsource, fields, lift }, ...variants.map((variant) => ({ ...variant, lift: [] }))];
  return all.map((part) => {
    const { product, category, service } = { ...logsource, ...part.logsource };
    const mappings = compileMap(part.fields ?? {});
    return { product, category: category?.toString(), service, lift: part.lift, mappings };
  });
}

/** Asked for every event, so it compares and does nothing else; the product is known to be right. */
function applies({ category, service }: Plan, asserted: Logsource): boolean {
  if (service !== undefined && service !== asserted.service?.toLowerCase()) return false;
  if (category === undefined) return true;
  const given = asserted.category;
  return typeof given === "object"
    ? given.some((each) => each.toLowerCase() === category)
    : given?.toLowerCase() === category;
}

function compileMap(fields: FieldMap): readonly Mapping[] {
  return Object.entries(fields).map(([name, paths]) => ({
    target: compilePath(name),
    sources: (typeof paths === "string" ? [paths] : paths).map(compilePath),
  }));
}

function compilePath(name: string): Path {
  const steps = name.split(".");
  return { name, first: steps[0] ?? "", steps };
}

function apply(plans: readonly Plan[], fields: Record<string, unknown>, logsource: Logsource): void {
  for (const plan of plans) {
    if (!applies(plan, logsource)) continue;
    for (const name of plan.lift) liftMembers(fields, name);
    for (const mapping of plan.mappings) addMapped(fields, mapping);
  }
}

function liftMembers(fields: Record<string, unknown>, name: string): void {
  const members = fields[name];
  if (!isRecord(members)) return;
  for (const member in members) fields[member] ??= members[member];
}

function addMapped(fields: Record<string, unknown>, { target, sources }: Mapping): void {
  if (read(fields, target) !== undefined) return;
  let value: unknown;
  for (const source of sources) {
    const found = read(fields, source);
    if (found !== undefined) value = value === undefined ? found : [value, found].flat();
  }
  if (value !== undefined) fields[target.name] = value;
}

function read(fields: Readonly<Record<string, unknown>>, { name, first, steps }: Path): unknown {
  const literal = fields[name];
  if (literal !== undefined || steps.length === 1) return literal;
  // Most records lack what most paths begin with.
  const start = fields[first];
  return start === undefined ? undefined : valueAt(start, steps, 1);
}

/** What lies at a path from a step on, of every member where it meets an array; `undefined` when nothing does. */
function valueAt(start: unknown, steps: readonly string[], from: number): unknown {
  let value = start;
  for (let index = from; index < steps.length; index++) {
    if (Array.isArray(value)) return valuesOf(value, steps, index);
    const step = steps[index] ?? "";
    if (!isRecord(value) || !Object.hasOwn(value, step)) return undefined;
    value = value[step];
  }
  return value;
}

function valuesOf(members: readonly unknown[], steps: readonly string[], from: number): unknown {
  let found: unknown[] | undefined;
  for (const member of members) {
    const value = valueAt(member, steps, from);
    if (value !== undefined) (found ??= []).push(value);
  }
  return found;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
