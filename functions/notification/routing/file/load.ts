import type { Routes } from "../routes.ts";
import { buildRoutes, windowsOf } from "./build.ts";
import { type ChannelOptions, checkChannels, keysAt } from "./channels.ts";
import { readDocument, type RouteDocument, type RouteFile } from "./document.ts";
import { checkEndless, checkSilent } from "./endless.ts";
import { toFindings, valueAt } from "./issues.ts";
import { type Finding, quote, type RouteProblem } from "./problem.ts";
import { checkTree, type Defined } from "./references.ts";
import { type FileNode, fileSchema } from "./schema.ts";
import { checkTogether } from "./together.ts";

export interface LoadOptions extends ChannelOptions {
  /** Channels that are there without a definition: those of the environment. */
  readonly opened: readonly string[];
}

export interface LoadedRoutes {
  /** Absent when there is an error among the problems. */
  readonly routes?: Routes | undefined;
  /** All that was found wrong, sorted by place. */
  readonly problems: readonly RouteProblem[];
}

/** Reads routes from one file or from several that say it together. Never throws; says all that is wrong. */
export function loadRoutes(files: readonly RouteFile[], options: LoadOptions): LoadedRoutes {
  const documents = files.map(readDocument);
  const defined = definedBy(documents, options);
  const checked = documents.map((document) => checkDocument(document, { ...options, defined }));
  const problems = [...checked.flatMap(({ problems }) => problems), ...checkTogether(documents)].toSorted(
    byPlace,
  );
  const nodes = checked.flatMap(({ node }) => node ?? []);
  const route = nodes.find((node) => node.route)?.route;
  if (!route || problems.some(({ severity }) => severity === "error")) return { problems };
  const all = {
    channels: Object.fromEntries(nodes.flatMap(({ channels }) => Object.entries(channels))),
    mute_times: Object.fromEntries(nodes.flatMap(({ mute_times }) => Object.entries(mute_times))),
    inhibit: nodes.flatMap(({ inhibit }) => inhibit),
    route,
  };
  const routes = buildRoutes(all, JSON.stringify(files));
  const rooted = documents.find(({ value }) => valueAt(value, ["route"]) !== undefined);
  const silent = rooted ? checkSilent(routes).map(rooted.locate) : [];
  return { routes, problems: [...problems, ...silent].toSorted(byPlace) };
}

function byPlace(a: RouteProblem, b: RouteProblem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}

function definedBy(documents: readonly RouteDocument[], { opened }: LoadOptions): Defined {
  return {
    channels: [...opened, ...documents.flatMap(({ value }) => keysAt(value, "channels"))],
    muteTimes: documents.flatMap(({ value }) => keysAt(value, "mute_times")),
  };
}

type CheckContext = LoadOptions & { readonly defined: Defined };

interface Checked {
  readonly node?: FileNode | undefined;
  readonly problems: readonly RouteProblem[];
}

function checkDocument(document: RouteDocument, context: CheckContext): Checked {
  if (document.problems.length > 0) return { problems: document.problems };
  // A file of comments alone says nothing.
  const value = document.value ?? {};
  try {
    const parsed = fileSchema.safeParse(value);
    const findings = [
      ...(parsed.success ? [] : toFindings(parsed.error, value)),
      ...checkTree(valueAt(value, ["route"]), context.defined),
      ...checkChannels(value, context),
      ...(parsed.success ? checkContent(parsed.data) : []),
      ...(parsed.success ? checkEndless(windowsOf(parsed.data)) : []),
    ];
    return { node: parsed.data, problems: findings.map(document.locate) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { problems: [document.locate({ path: [], message: "The file is nested too deeply." })] };
  }
}

/** What each part is right about and the whole is not. */
function checkContent({ inhibit }: FileNode): readonly Finding[] {
  return inhibit.flatMap(({ name, source, target }, index): readonly Finding[] => {
    const again = inhibit.findIndex((other) => other.name === name) < index;
    const back = inhibit.findIndex(
      (other) => other.source.text === target.text && other.target.text === source.text,
    );
    const path = ["inhibit", index];
    return [
      ...(again
        ? [{ path: [...path, "name"], message: `Another inhibition is called ${quote(name)} already.` }]
        : []),
      ...(back >= 0 && back <= index
        ? [
            {
              path,
              message: `inhibit[${back}] and inhibit[${index}] inhibit each other's sources: neither would be heard of.`,
            },
          ]
        : []),
    ];
  });
}
