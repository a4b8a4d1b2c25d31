import type { Context, Hono } from "hono";

import { InvalidEventError } from "../../events/invalid-event.ts";
import { type Access, announce, requireScope } from "../../runtime/access/access.ts";
import type { Scope } from "../../runtime/access/scopes.ts";
import { createApp } from "../../runtime/app.ts";
import type { Log } from "../../runtime/log.ts";
import type { Metrics } from "../../runtime/metrics.ts";
import { json } from "./answer.ts";
import type { Control } from "./control.ts";
import { problemOf, problemResponse, RequestError } from "./problem.ts";
import type { Receiver } from "./receive.ts";
import { sources } from "./sources/registry.ts";
import type { Source } from "./sources/source.ts";

export interface ApiDeps {
  readonly receiver: Receiver;
  readonly control: Control;
  readonly access: Access;
  /** Sources whose records are signed with a secret we share: the signature says who sends them. */
  readonly signed: ReadonlySet<string>;
  readonly metrics: Metrics;
  readonly log: Log;
}

type Handler = (request: Request) => Promise<Response>;
/** Without a scope whoever reaches the route may use it. */
type Route = readonly [
  method: "GET" | "POST" | "PUT",
  path: string,
  handler: Handler,
  scope: Scope | undefined,
];

/** The generator's HTTP API. `POST /` is among it: what comes in there comes from people, not from a broker. */
export function createApi({ receiver, control, access, signed, metrics, log }: ApiDeps): Hono {
  const routes: readonly Route[] = [
    ["POST", "/", receiver.cloudEvent, "ingest"],
    ["POST", "/events", receiver.events, "ingest"],
    ["POST", "/generate_event", receiver.generateEvent, "ingest"],
    ...sources.map((source): Route => [
      "POST",
      `/sources/${source.name}`,
      (request) => receiver.records(source, request),
      signed.has(source.name) ? undefined : "ingest",
    ]),
    ...sources.flatMap(verification),
    ["GET", "/generator", control.show, "viewer"],
    ["PUT", "/generator", control.change, "admin"],
    // A clock calls it.
    ["POST", "/generator/tick", control.tick, undefined],
  ];
  const app = createApp({ log });
  app.use(announce(access));
  for (const [method, path, handler, scope] of routes) {
    const answer = (context: Context) => handler(context.req.raw).catch(refuse);
    if (scope === undefined) app.on(method, path, answer);
    else app.on(method, path, requireScope(access, scope), answer);
  }
  return app;

  /** What the request itself is at fault for; anything else is the runtime's to answer. */
  function refuse(error: unknown): Response {
    if (!(error instanceof RequestError) && !(error instanceof InvalidEventError)) throw error;
    const problem = problemOf(error);
    metrics.eventsRejected.inc({ code: problem.code });
    return problemResponse(problem);
  }
}

/** The route by which the senders of a source ask whether their events are wanted, if they ask. */
function verification({ name, verify }: Source): readonly Route[] {
  if (verify === undefined) return [];
  const handler: Handler = async (request) => {
    const answer = verify(Object.fromEntries(request.headers));
    if (answer !== undefined) return json(200, answer);
    throw new RequestError(
      "SOURCE_RECORD_INVALID",
      `Expected the question whether ${name} may send events here.`,
    );
  };
  return [["GET", `/sources/${name}`, handler, "ingest"]];
}
