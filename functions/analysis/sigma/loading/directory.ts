import type { Description } from "../language/description.ts";

/** What has an id and perhaps a name. */
export type Labelled = Pick<Description, "id" | "name">;

/** Finds items by id, and what no id fits by name. */
export function createDirectory<Item extends Labelled>(
  items: readonly Item[],
): (label: string) => Item | undefined {
  const byId = new Map(items.map((item) => [item.id, item]));
  const byName = new Map(
    items.flatMap((item) => (item.name === undefined ? [] : [[item.name, item] as const])),
  );
  return (label) => byId.get(label) ?? byName.get(label);
}
