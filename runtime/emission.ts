import type { Contract } from "../events/contract.ts";
import { parseEvent } from "../events/envelope.ts";
import type { Event, Extensions } from "../events/event.ts";
import { EmitError } from "./failure.ts";
import type { Trace } from "./tracing.ts";
import { toTraceparent } from "./tracing.ts";

/** Characters of an extension that is passed on from event to event. */
const maxInherited = 256;

/** What events a delivery gives rise to inherit from it. */
export interface Lineage {
  readonly trace: Trace;
  /** The event that was handled, or what could be read of it. */
  readonly cause: { readonly id?: string | undefined; readonly extensions?: Extensions };
}

/**
 * The event as it leaves the function: known to be one the function declares, valid, and linked to its
 * cause. What the handler set itself is kept. Throws EmitError, never anything that could be mistaken for
 * a fault of the event that was handled.
 */
export function prepareEmission(event: Event, emits: readonly Contract[], lineage: Lineage): Event {
  if (event.time === undefined)
    throw new EmitError(`An event of type ${event.type} was returned without a time.`);
  if (event.datacontenttype !== "application/json") {
    throw new EmitError(`An event of type ${event.type} was returned as ${event.datacontenttype}.`);
  }
  try {
    parseEvent(emits, event);
  } catch (error) {
    throw new EmitError(`An event was returned that may not be sent: ${messageOf(error)}`, { cause: error });
  }
  return { ...event, extensions: { ...lineageOf(lineage), ...event.extensions } };
}

/** The extensions that link an event to its cause and its trace. */
export function lineageOf({ trace, cause }: Lineage): Extensions {
  const inherited = cause.extensions?.["correlationid"];
  // A long one would take the event beyond what headers may hold, and it could never be sent.
  const isShort = inherited !== undefined && String(inherited).length <= maxInherited;
  const correlationid = isShort ? inherited : asExtension(cause.id);
  const causationid = asExtension(cause.id);
  return {
    traceparent: toTraceparent(trace),
    ...(trace.tracestate === undefined ? {} : { tracestate: trace.tracestate }),
    ...(correlationid === undefined ? {} : { correlationid }),
    ...(causationid === undefined ? {} : { causationid }),
  };
}

/** Ids of others may hold anything; as an extension only what every transport leaves alone is repeated. */
function asExtension(id: string | undefined): string | undefined {
  return id !== undefined && id.length <= maxInherited && /^[\x21-\x24\x26-\x7E]+$/.test(id) ? id : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
