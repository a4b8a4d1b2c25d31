import type { Logsource } from "../../events/logsource.ts";
import { sourceDescriptions } from "../../events/sources/registry.ts";
import type { FieldMap, SourceDescription } from "../../events/sources/source.ts";

/** What is added to the fields of an event because of its log source. */
export type AddSourceFields = (fields: Record<string, unknown>, logsource: Logsource) => void;

type Path = readonly string[];

/** A name rules use, and the paths to what it means. */
interface Mapping {
  readonly name: string;
  /** The name itself as a path, when it is dotted: the record may have it there. */
  readonly nested: Path | undefined;
  readonly paths: readonly Path[];
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

  function apply(fields: Record<string, unknown>, logsource: Logsource, candidates: readonly Plan[]): void {
    for (const plan of candidates) {
      if (!applies(plan, logsource)) continue;
      for (const name of plan.lift) liftMembers(fields, name);
      for (const mapping of plan.mappings) addMapped(fields, mapping);
    }
  }

  return (fields, logsource) => {
    const { product } = logsource;
    const own = product === undefined ? undefined : byProduct.get(product.toLowerCase());
    if (own) apply(fields, logsource, own);
    apply(fields, logsource, ofAny);
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
    name,
    nested: name.includes(".") ? name.split(".") : undefined,
    paths: (typeof paths === "string" ? [paths] : paths).map((path) => path.split(".")),
  }));
}

function liftMembers(fields: Record<string, unknown>, name: string): void {
  const members = fields[name];
  if (!isRecord(members)) return;
  for (const member in members) fields[member] ??= members[member];
}

function addMapped(fields: Record<string, unknown>, { name, nested, paths }: Mapping): void {
  if (fields[name] !== undefined) return;
  if (
    nested?.[0] !== undefined &&
    fields[nested[0]] !== undefined &&
    valueAt(fields, nested, 0) !== undefined
  ) {
    return;
  }
  let value: unknown;
  for (const path of paths) {
    const [first = ""] = path;
    // Most records lack what most paths begin with.
    const found = fields[first] === undefined ? undefined : valueAt(fields, path, 0);
    if (found !== undefined) value = value === undefined ? found : [value, found].flat();
  }
  if (value !== undefined) fields[name] = value;
}

/** What lies at a path from a step on, of every member where it meets an array; `undefined` when nothing does. */
function valueAt(value: unknown, path: Path, from: number): unknown {
  const step = path[from];
  if (step === undefined) return value;
  if (Array.isArray(value)) {
    const found = value.map((member) => valueAt(member, path, from)).filter((each) => each !== undefined);
    return found.length === 0 ? undefined : found;
  }
  if (!isRecord(value) || !Object.hasOwn(value, step)) return undefined;
  return valueAt(value[step], path, from + 1);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
