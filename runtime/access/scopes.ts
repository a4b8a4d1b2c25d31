/** What a caller may do. */
export const scopes = ["ingest", "viewer", "responder", "admin"] as const;
export type Scope = (typeof scopes)[number];

/** What each scope brings with it. */
const includes: Readonly<Record<Scope, readonly Scope[]>> = {
  ingest: ["ingest"],
  viewer: ["viewer"],
  responder: ["responder", "viewer"],
  admin: ["admin", "responder", "viewer", "ingest"],
};

/** The scopes that follow from those that were given; a responder may also view, an admin may do all. */
export function grant(given: Iterable<Scope>): ReadonlySet<Scope> {
  return new Set([...given].flatMap((scope) => includes[scope]));
}

/** Whether a word is a scope. */
export function isScope(word: string): word is Scope {
  return scopes.some((scope) => scope === word);
}
