import { type Logsource, logsourceAttributes } from "../language/logsource.ts";

/** Finds what is filed under the log sources that apply to an event's. */
export interface LogsourceIndex<Item> {
  /** Everything whose every stated attribute the event's log source asserts. At most 7 look-ups. */
  applicable(logsource: Logsource): readonly (readonly Item[])[];
}

/** Files items by the log source they state. */
export function indexByLogsource<Item extends { readonly logsource: Logsource }>(
  items: readonly Item[],
): LogsourceIndex<Item> {
  const byKey = Map.groupBy(items, ({ logsource }) => keyOf(logsource));
  return {
    applicable(logsource) {
      return subsetsOf(normalise(logsource)).flatMap((subset) => {
        const group = byKey.get(keyOf(subset));
        return group ? [group] : [];
      });
    },
  };
}

function normalise(logsource: Logsource): Logsource {
  const stated = logsourceAttributes.flatMap((name) => {
    const value = logsource[name];
    return typeof value === "string" && value !== "" ? [[name, value.toLowerCase()] as const] : [];
  });
  return Object.fromEntries(stated);
}

/** Every way to state one or more of the attributes an event's log source has. */
function subsetsOf(logsource: Logsource): readonly Logsource[] {
  let subsets: readonly Logsource[] = [{}];
  for (const name of logsourceAttributes) {
    const value = logsource[name];
    if (value === undefined) continue;
    subsets = subsets.flatMap((subset) => [subset, { ...subset, [name]: value }]);
  }
  return subsets.slice(1);
}

function keyOf({ product, category, service }: Logsource): string {
  return JSON.stringify([product ?? null, category ?? null, service ?? null]);
}
