/** One kind of problem: what it is called, what it means and what to do about it. */
export interface ProblemKind {
  readonly status: number;
  readonly title: string;
  readonly meaning: string;
  readonly remedy: string;
}

/**
 * Every problem the API answers with, by the last segment of its `type` (`/problems/<name>`, where this
 * text is served). A name is never reused for something else.
 */
export const problemKinds = {
  "invalid-request": {
    status: 400,
    title: "The request is not valid",
    meaning:
      "Parameters, headers or members of the body are missing, unknown or not allowed. `errors` lists all of them, each with its place.",
    remedy: "Correct every place that `errors` names and send the request again.",
  },
  "malformed-json": {
    status: 400,
    title: "The body is not JSON",
    meaning:
      "The body could not be read as JSON in UTF-8, is nested too deeply, or holds a number or character that cannot be kept.",
    remedy: "Send one JSON object in UTF-8.",
  },
  "invalid-query": {
    status: 400,
    title: "The query cannot be understood",
    meaning:
      "The text of `q` or `query` is not in the query language. `position` and `length` tell where in the text, `expected` what could stand there, `suggestion` what may have been meant.",
    remedy:
      "Correct the query at the position. A query that cannot be understood never means everything, so nothing was answered.",
  },
  "invalid-cursor": {
    status: 400,
    title: "The cursor does not belong here",
    meaning: "The `cursor` was not given out by this list, or for another sort order.",
    remedy: "Take `next` or `prev` from an answer with the same `sort`, or begin without a cursor.",
  },
  unauthenticated: {
    status: 401,
    title: "Who is asking?",
    meaning: "The request carries no credential, or one that is wrong, expired or revoked.",
    remedy: "Send `Authorization: Bearer` with an API key or an access token of the identity provider.",
  },
  forbidden: {
    status: 403,
    title: "The credential does not allow this",
    meaning: "The caller is known but lacks the scope that the detail names.",
    remedy: "Use a credential with that scope, or ask an administrator for one.",
  },
  "cross-site-request": {
    status: 403,
    title: "The request comes from another site",
    meaning:
      "A page of another site made a browser send this change. Where nobody is asked for a credential, that is refused.",
    remedy: "Send changes from a page of this server, or from a program without the header `Origin`.",
  },
  "unknown-host": {
    status: 421,
    title: "This server does not go by that name",
    meaning: "A server for this machine alone was called by a name that is not this machine's.",
    remedy: "Call it by `localhost` or its address.",
  },
  "actor-mismatch": {
    status: 403,
    title: "`by` names somebody else",
    meaning:
      "The caller is known by a credential, and `by` names another one: nobody acts under another's name.",
    remedy: "Leave `by` out. It is for installations that do not ask who calls.",
  },
  "actor-required": {
    status: 422,
    title: "Who does this?",
    meaning: "Nobody is asked for a credential here, so the history would not tell who did it.",
    remedy: "Name a person or a tool in `by`.",
  },
  "unknown-route": {
    status: 404,
    title: "There is nothing here",
    meaning: "No resource has this path.",
    remedy: "See /openapi.json for every path.",
  },
  "not-found": {
    status: 404,
    title: "Nothing has this id",
    meaning: "The path is right, but nothing with this id or name is stored, or it is stored no longer.",
    remedy: "Look it up in the list of the same kind.",
  },
  "method-not-allowed": {
    status: 405,
    title: "The method is not possible here",
    meaning: "The path exists, but not with this method. `Allow` lists those that are possible.",
    remedy: "Use one of the methods in `Allow`.",
  },
  "transition-not-allowed": {
    status: 409,
    title: "The alert cannot do this now",
    meaning:
      "The action is impossible in the alert's status. `from` is the status, `action` what was asked, `allowed` what is possible.",
    remedy: "Use one of the actions in `allowed`; a resolved alert has to be reopened first.",
  },
  "state-conflict": {
    status: 409,
    title: "It is too late for this",
    meaning:
      "What the request wants to change has been brought to an end already: a silence that is over, a dead letter that was replayed or discarded, a delivery that is still on its way.",
    remedy: "Read the resource again; the detail tells what it is now.",
  },
  "limit-reached": {
    status: 409,
    title: "There can be no more of these",
    meaning: "As many as there can be at a time exist already, such as silences in force.",
    remedy: "End some that are not needed any more.",
  },
  "not-replayable": {
    status: 409,
    title: "The dead letter cannot be replayed",
    meaning:
      "Its destination is not known any more, its body was not kept in full, or what was given instead is no valid event.",
    remedy: "Give the whole event in `body` where the detail asks for it, or discard the dead letter.",
  },
  "replay-refused": {
    status: 424,
    title: "The destination did not take the event",
    meaning: "The dead letter was sent to where it belongs and was refused again, or nobody answered there.",
    remedy: "Put right what the detail names, then replay it again. It stays a dead letter until then.",
  },
  "idempotency-key-in-use": {
    status: 409,
    title: "The same request is under way",
    meaning: "A request with this `Idempotency-Key` has not been answered yet.",
    remedy: "Wait as `Retry-After` says and send the same request again: its answer will be the first one's.",
  },
  "precondition-failed": {
    status: 412,
    title: "The alert has changed",
    meaning:
      "`If-Match` names another revision than the alert has. `revision` is the current one and `last_change` tells who changed it, when and how.",
    remedy: "Read the alert, decide again, and send the request with its new `ETag`.",
  },
  "body-too-large": {
    status: 413,
    title: "The body is too large",
    meaning: "A body may have 1 MiB.",
    remedy: "Send less: bulk changes take up to 500 ids, or a query.",
  },
  "unsupported-media-type": {
    status: 415,
    title: "The body is of the wrong kind",
    meaning: "Only uncompressed `application/json` is read.",
    remedy: "Send `Content-Type: application/json`, without `Content-Encoding`.",
  },
  "idempotency-key-reused": {
    status: 422,
    title: "The Idempotency-Key belongs to another request",
    meaning: "A request with this key but another path or body was answered within the last 24 hours.",
    remedy: "Make a new key for every new request; keep it only to repeat the same one.",
  },
  "precondition-required": {
    status: 428,
    title: "Say which version you saw",
    meaning: "A change of one alert needs `If-Match`, so that nobody overwrites what they have not seen.",
    remedy: "Send the alert's `ETag` in `If-Match`, or `*` to change it whatever it is.",
  },
  "too-many-requests": {
    status: 429,
    title: "Too many requests",
    meaning: "The caller has used up its requests for now. `RateLimit-Policy` tells how many there are.",
    remedy: "Wait as `Retry-After` says.",
  },
  "internal-error": {
    status: 500,
    title: "Something went wrong on our side",
    meaning: "The request failed for a reason that was not foreseen. The log tells it.",
    remedy: "Try again with the same `Idempotency-Key`; tell the operators if it stays so.",
  },
  unavailable: {
    status: 503,
    title: "Not available now",
    meaning: "Something the answer needs, such as the database, is away. Nothing was answered in its place.",
    remedy: "Wait as `Retry-After` says and send the same request again.",
  },
} as const satisfies Readonly<Record<string, ProblemKind>>;

export type ProblemName = keyof typeof problemKinds;

/** Whether a name is one of the catalogue. */
export function isProblemName(name: string): name is ProblemName {
  return Object.hasOwn(problemKinds, name);
}

/** One thing that is wrong with a request; `pointer` is a JSON Pointer into the body. */
export interface RequestFault {
  readonly pointer?: string;
  readonly parameter?: string;
  readonly header?: string;
  readonly detail: string;
  /** A stable word for programs, such as `unknown` or `missing`. */
  readonly code: string;
}

export interface ProblemOptions extends ErrorOptions {
  /** The place, the value and what is allowed; never what is secret or internal. */
  readonly detail: string;
  readonly errors?: readonly RequestFault[];
  /** Further members of the document, in snake_case. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Ends a request with a problem of the catalogue. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly kind: ProblemName;
  readonly options: ProblemOptions;

  constructor(kind: ProblemName, options: ProblemOptions) {
    super(options.detail, options);
    this.kind = kind;
    this.options = options;
  }
}

/** A problem to be thrown. */
export function problem(name: ProblemName, options: ProblemOptions): ProblemError {
  return new ProblemError(name, options);
}

/** A problem document (RFC 9457, with `errors` and the members of its kind) as it is sent. */
export function toDocument(error: ProblemError, instance?: string): Readonly<Record<string, unknown>> {
  const { status, title } = problemKinds[error.kind];
  const { detail, errors, members } = error.options;
  return {
    type: `/problems/${error.kind}`,
    title,
    status,
    detail,
    ...(instance !== undefined && { instance }),
    ...(errors !== undefined && { errors }),
    ...members,
  };
}
