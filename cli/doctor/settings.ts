import type { z } from "zod";

import { targets } from "../../functions/index.ts";
import { shapeOf } from "../../runtime/config.ts";
import { hostConfig } from "../../runtime/host-config.ts";
import { devConfig } from "../dev/config.ts";

/** One environment variable that something reads. */
export interface Setting {
  readonly name: string;
  /** `dev`, `every function`, or the functions that read it. */
  readonly readBy: readonly string[];
  /** Its default, `required`, or empty when it may be left out. */
  readonly otherwise: string;
}

/** Every environment variable of the command line and the functions, by name. */
export async function listSettings(): Promise<readonly Setting[]> {
  const readers: [string, z.ZodType][] = [
    ["dev", devConfig],
    ["every function", hostConfig],
  ];
  for (const [name, load] of Object.entries(targets)) readers.push([name, (await load()).config]);
  const settings = new Map<string, Setting>();
  for (const [reader, schema] of readers) {
    for (const [name, field] of Object.entries(shapeOf(schema))) {
      const known = settings.get(name);
      settings.set(name, {
        name,
        readBy: [...(known?.readBy ?? []), reader],
        otherwise: known && known.otherwise !== "" ? known.otherwise : otherwise(field),
      });
    }
  }
  return [...settings.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function otherwise(field: z.ZodType): string {
  const absent = field.safeParse(undefined);
  if (!absent.success) return "required";
  return absent.data === undefined ? "" : JSON.stringify(absent.data).replace(/^"(.*)"$/, "$1");
}
