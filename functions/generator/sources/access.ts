/** Web servers whose access logs are told apart. */
export type Server = "nginx" | "apache" | "caddy" | "traefik";

/** One request, however it was logged. */
export interface Access {
  readonly time?: number | undefined;
  readonly server?: Server | undefined;
  /** The machine the log is of. */
  readonly machine?: string | undefined;
  readonly client?: string | undefined;
  readonly user?: string | undefined;
  readonly method?: string | undefined;
  /** The target as the client sent it: path and query. */
  readonly uri?: string | undefined;
  readonly protocol?: string | undefined;
  /** The request line, when it is none. */
  readonly request?: string | undefined;
  readonly status: number;
  readonly bytes?: number | undefined;
  readonly referer?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly virtualHost?: string | undefined;
  readonly contentType?: string | undefined;
  readonly cookie?: string | undefined;
}

/** `GET /path HTTP/1.1` taken apart; what is none is kept as it is. */
export function readRequest(request: string): Pick<Access, "method" | "uri" | "protocol" | "request"> {
  const [, method, uri, protocol] =
    /^([A-Za-z-]{1,32}) (\S.*?)(?: (HTTP\/[\d.]{1,5}))?$/s.exec(request) ?? [];
  return method === undefined ? { request } : { method, uri, protocol };
}
