import { createHash } from "node:crypto";

export interface AnswerOptions {
  readonly status?: number;
  readonly etag?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer with a JSON body. */
export function json(body: unknown, { status = 200, etag, headers }: AnswerOptions = {}): Response {
  return text(JSON.stringify(body), {
    status,
    ...(etag !== undefined && { etag }),
    headers: { "content-type": "application/json", ...headers },
  });
}

function text(body: string, { status = 200, etag, headers }: AnswerOptions): Response {
  return new Response(body, { status, headers: { ...(etag !== undefined && { etag }), ...headers } });
}

/**
 * An answer with a JSON body and an entity tag made of the body itself: weak, because two answers with the
 * same content need not be the same bytes for everybody in between.
 */
export function tagged(body: unknown, options: AnswerOptions = {}): Response {
  const content = JSON.stringify(body);
  return text(content, {
    ...options,
    etag: `W/"${digest(content)}"`,
    headers: { "content-type": "application/json", ...options.headers },
  });
}

/** Sixteen hexadecimal digits that stand for a text. */
export function digest(content: string): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
  readonly prev?: string | null;
}

/** A page of a list, with its neighbours in `Link` (RFC 8288) as well; further members come last. */
export function page<Item>(request: Request, list: Page<Item>, members: object = {}): Response {
  const links = [
    ...(list.next === null ? [] : [link(request, list.next, "next")]),
    ...(list.prev === null || list.prev === undefined ? [] : [link(request, list.prev, "prev")]),
  ];
  return tagged({ ...list, ...members }, links.length > 0 ? { headers: { link: links.join(", ") } } : {});
}

/** Relative, because a proxy in front may have another name and path than we know. */
function link(request: Request, cursor: string, rel: string): string {
  const url = new URL(request.url);
  url.searchParams.set("cursor", cursor);
  return `<?${url.searchParams.toString()}>; rel="${rel}"`;
}
