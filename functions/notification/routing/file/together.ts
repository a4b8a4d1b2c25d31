import { keysAt } from "./channels.ts";
import type { RouteDocument } from "./document.ts";
import { valueAt } from "./issues.ts";
import { type Finding, quote, type RouteProblem } from "./problem.ts";

/** What several files, or no file, say of the whole. */
export function checkTogether(documents: readonly RouteDocument[]): readonly RouteProblem[] {
  const readable = documents.filter(({ problems }) => problems.length === 0);
  const rooted = readable.filter(({ value }) => valueAt(value, ["route"]) !== undefined);
  const [first] = readable;
  const missing: Finding = {
    path: [],
    message: "There is no route.",
    allowed: "a key route with at least channels",
  };
  return [
    ...(rooted.length === 0 && first && readable.length === documents.length ? [first.locate(missing)] : []),
    ...rooted.slice(1).map(({ locate }) =>
      locate({
        path: ["route"],
        atKey: true,
        message: `The route of ${rooted[0]?.file} is the root: there can be one only.`,
      }),
    ),
    ...(["channels", "mute_times"] as const).flatMap((key) => twice(readable, key)),
    ...unused(readable),
  ];
}

function twice(documents: readonly RouteDocument[], key: "channels" | "mute_times"): readonly RouteProblem[] {
  const seen = new Map<string, string>();
  return documents.flatMap(({ file, value, locate }) =>
    keysAt(value, key).flatMap((name) => {
      const by = seen.get(name);
      if (by === undefined) seen.set(name, file);
      return by === undefined
        ? []
        : [
            locate({
              path: [key, name],
              atKey: true,
              message: `${quote(name)} is defined in ${by} already.`,
            }),
          ];
    }),
  );
}

function unused(documents: readonly RouteDocument[]): readonly RouteProblem[] {
  const text = JSON.stringify(documents.map(({ value }) => valueAt(value, ["route"])));
  return documents.flatMap(({ value, locate }) =>
    (["channels", "mute_times"] as const).flatMap((key) =>
      keysAt(value, key)
        .filter((name) => !text.includes(JSON.stringify(name)))
        .map((name) =>
          locate({
            path: [key, name],
            atKey: true,
            severity: "warning",
            message: `No route uses ${quote(name)}.`,
          }),
        ),
    ),
  );
}
