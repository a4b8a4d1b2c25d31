import type { EventLogsource, Logsource } from "../language/logsource.ts";

/** Finds what applies to events of a log source. */
export interface Router<Value> {
  /** The value for the groups that apply, made when first asked for; `undefined` when none applies. */
  route(logsource: EventLogsource): Value | undefined;
}

/** So many ways to write a log source are remembered; they come from configuration, so few are ever used. */
const mostSpellings = 256;

/**
 * A group applies when every attribute it states is asserted by the event's log source; where the event
 * asserts several categories, any of them will do. `make` is called once for every set of groups that
 * apply together, with their numbers in ascending order.
 */
export function createRouter<Value>(
  stated: readonly Logsource[],
  make: (groups: readonly number[]) => Value,
): Router<Value> {
  const byGroups = new Map<string, Value | undefined>([["", undefined]]);
  const bySpelling = new Map<string, Value | undefined>();
  const isCustom = stated.some((one) => Object.keys(one).some((name) => !standard.has(name)));
  let last: EventLogsource = {};
  let lastValue: Value | undefined;

  function resolve(logsource: EventLogsource): Value | undefined {
    const asserted = normalise(logsource);
    const groups = stated.flatMap((one, group) => (applies(one, asserted) ? [group] : []));
    const key = groups.join(" ");
    if (!byGroups.has(key)) byGroups.set(key, make(groups));
    return byGroups.get(key);
  }

  function remembered(logsource: EventLogsource): Value | undefined {
    const spelling = JSON.stringify(
      isCustom ? Object.entries(logsource).toSorted(byName) : threeOf(logsource),
    );
    if (bySpelling.has(spelling)) return bySpelling.get(spelling);
    if (bySpelling.size >= mostSpellings) bySpelling.clear();
    const value = resolve(logsource);
    bySpelling.set(spelling, value);
    return value;
  }

  return {
    route: (logsource) => {
      if (!isCustom && isSame(logsource, last)) return lastValue;
      const value = remembered(logsource);
      // Lists may change under our hands, so only what is made of texts is recognised at sight.
      if (typeof logsource.category !== "object") {
        last = { product: logsource.product, category: logsource.category, service: logsource.service };
        lastValue = value;
      }
      return value;
    },
  };
}

export function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

const standard: ReadonlySet<string> = new Set(["product", "category", "service"]);

function threeOf({ product, category, service }: EventLogsource): readonly unknown[] {
  return [product ?? null, category ?? null, service ?? null];
}

function isSame(a: EventLogsource, b: EventLogsource): boolean {
  return a.product === b.product && a.category === b.category && a.service === b.service;
}

/** Whether a rule that states `stated` is for events of a log source at all. */
export function appliesTo(stated: Logsource, logsource: EventLogsource): boolean {
  return applies(stated, normalise(logsource));
}

type Asserted = ReadonlyMap<string, readonly string[]>;

function normalise(logsource: EventLogsource): Asserted {
  return new Map(
    Object.entries(logsource).map(([name, value]) => {
      const values = typeof value === "string" ? [value] : Array.isArray(value) ? value : [];
      return [name, values.filter((one) => typeof one === "string").map((one) => one.toLowerCase())];
    }),
  );
}

function applies(stated: Logsource, asserted: Asserted): boolean {
  return Object.entries(stated).every(
    ([name, value]) => value === undefined || (asserted.get(name)?.includes(value) ?? false),
  );
}
