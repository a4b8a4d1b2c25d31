/** What one address of `auditflow dev` serves, by function; the dashboard serves the rest. */
const generatorPaths = /^\/(?:events|generate_event|sources\/[a-z-]+|generator(?:\/tick)?)$/;
const notificationPaths = /^\/(?:api\/v1\/.*|openapi\.json|docs(?:\.css)?|problems(?:\/.*)?)$/;
const directPath =
  /^\/functions\/(generator|analysis|notification|dashboard)(\/(?:livez|readyz|healthz|metrics|loglevel|reconcile|deliveries\/run))$/;

/** The function a request belongs to and the path it has there. */
export function routeOf(method: string, url: string): { readonly name: string; readonly path: string } {
  const path = url.split("?", 1)[0] ?? "/";
  const direct = directPath.exec(path);
  if (direct) return { name: direct[1] ?? "", path: direct[2] ?? "/" };
  if (generatorPaths.test(path) || (path === "/" && method === "POST"))
    return { name: "generator", path: url };
  if (notificationPaths.test(path)) return { name: "notification", path: url };
  return { name: "dashboard", path: url };
}
