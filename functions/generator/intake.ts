import type { HttpMessage } from "../../events/http-message.ts";
import { InvalidEventError, type RefusedEvent } from "../../events/invalid-event.ts";
import { formatJson } from "../../events/json.ts";
import { UnavailableError } from "../../runtime/failure.ts";
import type { Log } from "../../runtime/log.ts";
import type { Metrics } from "../../runtime/metrics.ts";
import { maxBodyBytes } from "../../runtime/body.ts";
import { createRejected } from "../../runtime/rejected.ts";
import type { MakeDurable } from "./durability.ts";
import type { AuditEvent } from "./normalise.ts";
import { type Problem, problemOf, RequestError } from "./problem.ts";
import type { Publisher } from "./publisher.ts";
import { present } from "./sources/record.ts";

/** What became of one event. A duplicate was accepted before; the sender need not care. */
export type Receipt =
  | { readonly status: "accepted"; readonly id: string; readonly source: string; readonly duplicate?: true }
  | { readonly status: "refused"; readonly problem: Problem; readonly id?: string; readonly source?: string };

/** What was refused: what could be read of its identity, and the message it came in. */
export interface Refused {
  readonly event: RefusedEvent;
  readonly message: HttpMessage;
}

/** Something that holds audit events: most often one, and perhaps none that is valid. */
export interface Candidate {
  /** Throws InvalidEventError or RequestError. */
  readonly read: () => readonly AuditEvent[];
  /** What to keep of it when it is refused. */
  readonly refused: () => Refused;
}

/** Offers what a candidate holds, event by event; each stands for itself. Never rejects. */
export type Intake = (candidate: Candidate) => Promise<readonly Receipt[]>;

export interface IntakeDeps {
  readonly makeDurable: MakeDurable;
  readonly publisher: Publisher;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly now: () => number;
}

/** The one way in: whatever the route, an event is accepted, refused and counted here. */
export function createIntake({ makeDurable, publisher, metrics, log, now }: IntakeDeps): Intake {
  return async ({ read, refused }) => {
    let events: readonly AuditEvent[];
    try {
      events = read();
    } catch (error) {
      return [refuse(error, refused)];
    }
    return Promise.all(events.map((event) => offer(event, refused)));
  };

  async function offer(event: AuditEvent, refused: Candidate["refused"]): Promise<Receipt> {
    const { id, source } = event;
    try {
      // What is behind the broker reads nothing deeper, and accepts no larger body.
      const bytes = formatJson(event.data).length;
      if (bytes > maxBodyBytes) throw tooLarge(bytes);
      const outcome = await makeDurable(event, bytes);
      if (outcome === "conflict") throw reused(event);
      return { status: "accepted", id, source, ...(outcome === "duplicate" ? { duplicate: true } : {}) };
    } catch (error) {
      return { ...refuse(error, () => ({ ...refused(), event: identityOf(event) })), id, source };
    }
  }

  function refuse(error: unknown, refused: Candidate["refused"]): Receipt & { status: "refused" } {
    const problem = problemOf(error);
    metrics.eventsRejected.inc({ code: problem.code });
    if (problem.status >= 500) logFailure(error, problem);
    else record(error, problem, refused);
    return { status: "refused", problem };
  }

  function logFailure(error: unknown, { code }: Problem) {
    if (error instanceof UnavailableError)
      log.warn({ err: error, code }, "an event could not be made durable");
    else log.error({ err: error, code }, "an event was not processed");
  }

  /** The sender was told, but may not have read it; an event that can be found again is recorded. */
  function record(error: unknown, { code, detail, pointer }: Problem, refused: Candidate["refused"]) {
    const { event, message } = refused();
    const known = identityOf(error instanceof InvalidEventError ? { ...event, ...error.event } : event);
    if (known.id === undefined || known.source === undefined) return;
    const rejection = { code, detail, pointer, event: known };
    const time = now();
    const rejected = createRejected({
      name: "generator",
      message,
      truncated: false,
      rejection,
      time,
      extensions: {},
    });
    publisher.offer(rejected, message.body.length * 2);
  }
}

function identityOf({ id, source, type, time }: AuditEvent | RefusedEvent): RefusedEvent {
  return present({ id, source, type, time });
}

function reused({ id, source }: AuditEvent): RequestError {
  return new RequestError(
    "EVENT_ID_REUSED",
    `An event with id "${id}" of source "${source}" was accepted with other data. Give this one an id of its own; one that was sent before is sent again unchanged.`,
    { pointer: "/id" },
  );
}

function tooLarge(bytes: number): RequestError {
  return new RequestError(
    "EVENT_TOO_LARGE",
    `The data of the event takes ${bytes} bytes: expected at most ${maxBodyBytes}.`,
    { pointer: "/data" },
  );
}
