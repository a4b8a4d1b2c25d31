import { parseDuration } from "../duration.ts";
import type { Finding, PathPart } from "./problem.ts";
import { quote } from "./problem.ts";
import { valueAt } from "./issues.ts";

/** Names that files define, all files together. */
export interface Defined {
  readonly channels: readonly string[];
  readonly muteTimes: readonly string[];
}

/**
 * What is wrong with a tree of routes as a whole: names that nothing has, routes that no alert reaches,
 * names given twice. Asks the file as it was written, so that it is told together with everything else.
 */
export function checkTree(route: unknown, defined: Defined): readonly Finding[] {
  const nodes = walk(route, ["route"]);
  return [...checkRoot(route), ...nodes.flatMap((node) => checkNode(node, defined)), ...checkNames(nodes)];
}

interface Node {
  readonly value: object;
  readonly path: readonly PathPart[];
}

function walk(value: unknown, path: readonly PathPart[]): readonly Node[] {
  if (typeof value !== "object" || value === null) return [];
  const children = listAt(value, "routes").flatMap((child, index) => walk(child, [...path, "routes", index]));
  return [{ value, path }, ...children];
}

function listAt(value: unknown, key: string): readonly unknown[] {
  const list = valueAt(value, [key]);
  return Array.isArray(list) ? list : [];
}

function checkRoot(route: unknown): readonly Finding[] {
  if (typeof route !== "object" || route === null) return [];
  const findings: Finding[] = [];
  if (valueAt(route, ["channels"]) === undefined) {
    const allowed = "a list of channels; [] tells nobody";
    findings.push({
      path: ["route"],
      message: "route.channels is missing: the root takes what no other route does.",
      allowed,
    });
  }
  for (const key of ["match", "continue"]) {
    if (valueAt(route, [key]) === undefined) continue;
    findings.push({
      path: ["route", key],
      atKey: true,
      message: `The root route takes every alert: it can have no ${key}.`,
    });
  }
  return findings;
}

function checkNode({ value, path }: Node, { channels, muteTimes }: Defined): readonly Finding[] {
  const escalations = listAt(value, "escalate");
  return [
    ...unknownNames({ value, path }, "channels", channels),
    ...unknownNames({ value, path }, "mute_times", muteTimes),
    ...unknownNames({ value, path }, "active_times", muteTimes),
    ...escalations.flatMap((step, index) =>
      unknownNames({ value: Object(step), path: [...path, "escalate", index] }, "channels", channels),
    ),
    ...unordered(escalations, path),
    ...unreachable({ value, path }),
  ];
}

function unknownNames({ value, path }: Node, key: string, known: readonly string[]): readonly Finding[] {
  return listAt(value, key).flatMap((name, index) =>
    typeof name !== "string" || known.includes(name)
      ? []
      : [
          {
            path: [...path, key, index],
            message: `There is no ${key === "channels" ? "channel" : "entry in mute_times"} ${quote(name)}.`,
            allowed: known.length > 0 ? known.join(", ") : "none is defined",
          },
        ],
  );
}

/** Each step is counted from when the alert began; one that is not later than the one before is a mistake. */
function unordered(steps: readonly unknown[], path: Node["path"]): readonly Finding[] {
  const afters = steps.map((step) => parseDuration(String(valueAt(step, ["after"]))) ?? NaN);
  return afters.flatMap((after, index) =>
    after <= (afters[index - 1] ?? 0)
      ? [
          {
            path: [...path, "escalate", index, "after"],
            message: "A step of an escalation comes after the one before it.",
            allowed: "a longer duration: each is counted from when the alert began",
          },
        ]
      : [],
  );
}

/** Behind a route that takes everything, or the same, and does not continue nothing arrives. */
function unreachable({ value, path }: Node): readonly Finding[] {
  const taken = new Map<string, number>();
  return listAt(value, "routes").flatMap((child, index) => {
    const match = valueAt(child, ["match"]) ?? "";
    if (typeof match !== "string") return [];
    const text = match.trim();
    const by = taken.get("") ?? taken.get(text);
    if (valueAt(child, ["continue"]) !== true && !taken.has(text)) taken.set(text, index);
    if (by === undefined) return [];
    const at = [...path, "routes", index];
    const message = `No alert reaches this route: routes[${by}] before it takes them and does not continue.`;
    return [{ path: at, message, allowed: "another match, another order, or continue: true before it" }];
  });
}

function checkNames(nodes: readonly Node[]): readonly Finding[] {
  const seen = new Set<string>();
  return nodes.flatMap(({ value, path }) => {
    const name = valueAt(value, ["name"]);
    if (typeof name !== "string") return [];
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [
      {
        path: [...path, "name"],
        message: `Another route is called ${quote(name)} already.`,
        allowed: "a name of its own",
      },
    ];
  });
}
