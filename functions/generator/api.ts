import type { Hono } from "hono";

import { InvalidEventError } from "../../events/invalid-event.ts";
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
  readonly metrics: Metrics;
  readonly log: Log;
}

type Handler = (request: Request) => Promise<Response>;
type Route = readonly [method: "GET" | "POST" | "PUT", path: string, handler: Handler];

/** The generator's HTTP API. `POST /` is among it: what comes in there comes from people, not from a broker. */
export function createApi({ receiver, control, metrics, log }: ApiDeps): Hono {
  const routes: readonly Route[] = [
    ["POST", "/", receiver.cloudEvent],
    ["POST", "/events", receiver.events],
    ["POST", "/generate_event", receiver.generateEvent],
    ...sources.map((source): Route => [
      "POST",
      `/sources/${source.name}`,
      (request) => receiver.records(source, request),
    ]),
    ...sources.flatMap(verification),
    ["GET", "/generator", control.show],
    ["PUT", "/generator", control.change],
    ["POST", "/generator/tick", control.tick],
  ];
  const app = createApp({ log });
  for (const [method, path, handler] of routes) {
    app.on(method, path, (context) => handler(context.req.raw).catch(refuse));
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
  return [["GET", `/sources/${name}`, handler]];
}
