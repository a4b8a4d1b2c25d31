import type { Description } from "../language/description.ts";
import type { Collected } from "./collect.ts";
import type { Problems } from "./problems.ts";

type Unique = Pick<Collected, "rules" | "correlations" | "filters">;

/**
 * Leaves out what has the id or name of something else. Rules, correlations and filters share one space
 * of names; of two, the first stays, and rules come before correlations, these before filters.
 */
export function withoutDuplicates({ rules, correlations, filters }: Unique, problems: Problems): Unique {
  const ids = new Map<string, Description>();
  const names = new Map<string, Description>();
  const isFirst = (item: Description): boolean => {
    const sameId = ids.get(item.id);
    const sameName = item.name === undefined ? undefined : names.get(item.name);
    if (sameId) problems.refuse("RULE_ID_DUPLICATE", placeOf(item), takenId(item, sameId));
    else if (sameName)
      problems.refuse("RULE_NAME_DUPLICATE", placeOf(item), taken("name", item.name, sameName));
    else {
      ids.set(item.id, item);
      if (item.name !== undefined) names.set(item.name, item);
    }
    return !sameId && !sameName;
  };
  return {
    rules: rules.filter(isFirst),
    correlations: correlations.filter(isFirst),
    filters: filters.filter(isFirst),
  };
}

function placeOf({ file, line }: Description) {
  return { file, line, column: 1 };
}

function takenId(item: Description, by: Description): string {
  const message = taken("id", item.id, by);
  return item.id === item.title ? `${message} Without id and name, the title stands for them.` : message;
}

function taken(what: string, value: string | undefined, { file, line }: Description): string {
  return `The ${what} '${value}' is taken by ${file}:${line}.`;
}
