import type { References } from "../language/correlation-references.ts";
import type { Labelled } from "./directory.ts";

/** Tells what is silent: a correlation refers to it, and none of those that do says `generate`. */
export function createSilence(references: readonly References[]): (item: Labelled) => boolean {
  const named = (generate: boolean) =>
    new Set(
      references
        .filter((row) => row.generate === generate)
        .flatMap((row) => row.refersTo.map(({ name }) => name)),
    );
  const quiet = named(false);
  const loud = named(true);
  return (item) => isNamed(quiet, item) && !isNamed(loud, item);
}

function isNamed(names: ReadonlySet<string>, { id, name }: Labelled): boolean {
  return names.has(id) || (name !== undefined && names.has(name));
}
