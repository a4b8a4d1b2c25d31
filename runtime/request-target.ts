/**
 * The path of a request target or URL as a router reads it: without its query, `.` and `..` resolved and
 * escapes decoded, so that no spelling of a path gets past what is decided by it. A target that is no path
 * stays as it is and matches nothing.
 */
export function pathOf(target: string = "/"): string {
  if (target === "/") return target;
  const url = target.startsWith("/") ? `http://localhost${target}` : target;
  if (!URL.canParse(url)) return target;
  const { pathname } = new URL(url);
  return pathname.includes("%") ? decode(pathname) : pathname;
}

/** The query of a request target with its `?`; empty when it has none. */
export function queryOf(target: string = "/"): string {
  const at = target.indexOf("?");
  return at < 0 ? "" : target.slice(at);
}

/** Each escape that can be read; an escaped slash stays one. */
function decode(path: string): string {
  return path.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) => {
    try {
      return decodeURI(escapes);
    } catch {
      return escapes;
    }
  });
}
