import { createHash } from "node:crypto";

import type { Digest, Inhibition, Route, Routes } from "../routes.ts";
import type { FileNode, RouteNode } from "./schema.ts";

/** What a route hands down to those below it. */
type Inherited = Partial<
  Pick<
    RouteNode,
    | "channels"
    | "group_by"
    | "group_wait"
    | "group_interval"
    | "repeat_interval"
    | "send_resolved"
    | "mute_times"
    | "active_times"
    | "escalate"
  >
>;

/** Routes of files that were checked; `text` is what they were read from. */
export function buildRoutes(file: FileNode & { readonly route: RouteNode }, text: string): Routes {
  const names = new Set(namesOf(file.route));
  return {
    hash: createHash("sha256").update(text).digest("hex"),
    root: buildRoute(file.route, { inherited: {}, above: undefined, names }),
    channels: Object.entries(file.channels).map(([name, { type, settings }]) => ({ name, type, settings })),
    muteTimes: windowsOf(file),
    inhibitions: file.inhibit.map(({ within, ...rest }): Inhibition => ({ ...rest, withinMs: within })),
  };
}

/** The times a file names. */
export function windowsOf({ mute_times }: Pick<FileNode, "mute_times">): Routes["muteTimes"] {
  return new Map(
    Object.entries(mute_times).map(([name, { days_of_month: daysOfMonth, ...window }]) => [
      name,
      { ...window, daysOfMonth },
    ]),
  );
}

function namesOf({ name, routes = [] }: RouteNode): readonly string[] {
  return [...(name === undefined ? [] : [name]), ...routes.flatMap(namesOf)];
}

interface Above {
  readonly inherited: Inherited;
  /** The name of the route above. */
  readonly above: string | undefined;
  /** Names that are taken. */
  readonly names: Set<string>;
}

function buildRoute(node: RouteNode, { inherited, above, names }: Above): Route {
  const own: Inherited = { ...handedDown(inherited, node), ...definedOf(node) };
  const name =
    node.name ?? freeName(above === undefined ? "root" : `${above}/${node.match?.text.trim() || "*"}`, names);
  const groupBy = node.digest && node.group_by === undefined ? [] : fieldsOf(own.group_by);
  return {
    name,
    match: node.match,
    channels: own.channels ?? [],
    groupBy,
    // Who waits for nobody need not wait: only where the route itself says so.
    groupWaitMs: groupBy === "alone" ? (node.group_wait ?? 0) : (own.group_wait ?? 30_000),
    groupIntervalMs: own.group_interval ?? 300_000,
    repeatIntervalMs: own.repeat_interval ?? undefined,
    sendResolved: own.send_resolved ?? false,
    muteTimes: own.mute_times ?? [],
    activeTimes: own.active_times ?? [],
    escalate: (own.escalate ?? []).map(({ after: afterMs, channels }) => ({ afterMs, channels })),
    digest: digestOf(node.digest),
    continue: node.continue ?? false,
    routes: (node.routes ?? []).map((child) => buildRoute(child, { inherited: own, above: name, names })),
  };
}

/** A digest is another way to tell: how alerts are told otherwise is not for it. */
function handedDown(inherited: Inherited, { digest }: RouteNode): Inherited {
  if (!digest) return inherited;
  const { channels, mute_times, active_times } = inherited;
  return definedOf({ channels, mute_times, active_times });
}

function definedOf({
  name: _name,
  match: _match,
  continue: _continue,
  digest: _digest,
  routes: _routes,
  ...own
}: RouteNode): Inherited {
  return Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
}

/** The name of a route that has none follows from what it matches, not from where it stands. */
function freeName(wanted: string, names: Set<string>): string {
  let name = wanted;
  for (let count = 2; names.has(name); count += 1) name = `${wanted}#${count}`;
  names.add(name);
  return name;
}

function fieldsOf(groupBy: Inherited["group_by"]): Route["groupBy"] {
  if (groupBy === undefined) return "alone";
  const fields = groupBy.filter((field) => field !== "...");
  return fields.length < groupBy.length ? "alone" : fields;
}

function digestOf(digest: RouteNode["digest"]): Digest | undefined {
  if (digest?.every !== undefined) return { everyMs: digest.every };
  if (digest?.at === undefined) return undefined;
  return { at: digest.at, location: digest.location ?? "UTC", weekdays: digest.days ?? [] };
}
