/** Where a request belongs: to the broker and the clock, to people, or to nobody. */
export type Side = { readonly side: "broker" | "people"; readonly path: string } | { readonly side: "none" };

export interface BrokerPathsOptions {
  /** Below it lies what a broker and a clock call, and nothing else; without one all lies together. */
  readonly prefix: string | undefined;
  /** Paths that only a broker or a clock POSTs to; `/` where the function handles events. */
  readonly paths: ReadonlySet<string>;
}

/**
 * Tells the paths for a broker from those for people. With a prefix such as `/broker`, a POST to one of the
 * broker's paths is answered only below it, and nothing else is, so that a gateway or a policy can tell them
 * apart. `path` is the one the function knows, without the prefix.
 */
export function createBrokerPaths({ prefix, paths }: BrokerPathsOptions) {
  return (method: string | undefined, path: string): Side => {
    const isPost = method === "POST";
    if (prefix === undefined) return { side: isPost && paths.has(path) ? "broker" : "people", path };
    if (path === prefix || path.startsWith(`${prefix}/`)) {
      const own = path.slice(prefix.length) || "/";
      return isPost && paths.has(own) ? { side: "broker", path: own } : { side: "none" };
    }
    return isPost && paths.has(path) ? { side: "none" } : { side: "people", path };
  };
}
