import type { AlertSummary } from "../alert-view.ts";
import { matches } from "../query/predicate.ts";
import type { Route } from "./routes.ts";

/** The nodes from the root to the route that is taken. */
export type RoutePath = readonly [Route, ...Route[]];

/**
 * Which routes an alert takes, in the order of the tree: of a node's children the first one that matches,
 * and those after it as long as the ones before say `continue`; the node itself when no child matches. At
 * least one, because the root matches everything. `now` in epoch milliseconds.
 */
export function pathsOf(root: Route, alert: AlertSummary, now: number): readonly RoutePath[] {
  return descend([root]);

  function descend(path: RoutePath): readonly RoutePath[] {
    const taken: RoutePath[] = [];
    for (const child of leafOf(path).routes) {
      if (child.match && !matches(child.match, alert, now)) continue;
      taken.push(...descend([...path, child]));
      if (!child.continue) break;
    }
    return taken.length > 0 ? taken : [path];
  }
}

/** The route itself. */
export function leafOf(path: RoutePath): Route {
  return path.at(-1) ?? path[0];
}
