import { attributeInvalid, checkAttributes } from "./attributes.ts";
import type { Contract, EventOf } from "./contract.ts";
import type { Event, Extensions } from "./event.ts";
import { InvalidEventError, quote } from "./invalid-event.ts";

/** What an emitter says of a new event; the contract adds the rest. */
export interface NewEvent<Data> {
  readonly id: string;
  readonly source: string;
  /** RFC 3339; `toInstant` makes one. */
  readonly time: string;
  readonly subject?: string | undefined;
  readonly extensions?: Extensions | undefined;
  readonly data: Data;
}

type DataOf<C extends Contract> = C extends Contract<string, infer Data> ? Data : never;

const printableAscii = /^[\u0020-\u007e]*$/;
const maxProblems = 5;

/**
 * An event to emit. Strict: `data` must satisfy the contract and every attribute be printable ASCII, so
 * that no transport on the way can change it (see `asAttribute`). Throws InvalidEventError.
 */
export function createEvent<C extends Contract>(contract: C, given: NewEvent<DataOf<C>>): EventOf<C> {
  const { id, source, time, subject, extensions = {}, data } = given;
  const event: Event = {
    specversion: "1.0",
    id,
    source,
    type: contract.type,
    subject,
    time,
    datacontenttype: "application/json",
    dataschema: undefined,
    extensions,
    data,
  };
  checkAttributes(event);
  for (const [name, value] of Object.entries({ id, subject, ...extensions })) {
    if (typeof value === "string" && !printableAscii.test(value)) {
      throw attributeInvalid(name, value, "printable ASCII").about({ ...event });
    }
  }
  return parseEvent([contract], event);
}

/**
 * The event as the contract of its type admits it. Tolerant: fields the contract does not know are kept.
 * Throws InvalidEventError: EVENT_TYPE_UNKNOWN or EVENT_DATA_INVALID.
 */
export function parseEvent<C extends Contract>(contracts: readonly C[], event: Event): EventOf<C> {
  const contract = contracts.find(({ type }) => type === event.type);
  if (!contract) {
    throw new InvalidEventError(
      "EVENT_TYPE_UNKNOWN",
      `Type ${quote(event.type)} is not accepted here: expected one of ${contracts.map(({ type }) => type).join(", ")}.`,
      { pointer: "/type" },
    ).about({ ...event });
  }
  // To zod, bytes are an object like any other.
  if (event.data instanceof Uint8Array) {
    throw new InvalidEventError(
      "EVENT_DATA_INVALID",
      `data: expected JSON, got bytes of type ${quote(event.datacontenttype)}.`,
      { pointer: "/data" },
    ).about({ ...event });
  }
  const parsed = contract.data.safeParse(event.data);
  if (!parsed.success) throw dataInvalid(parsed.error.issues, event);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- C stands for the contract that was found, which TypeScript cannot follow
  return { ...event, data: parsed.data } as EventOf<C>;
}

/**
 * A text as an attribute any transport leaves alone: what is not visible ASCII, and `%`, becomes the
 * percent-escapes of its UTF-8. Different texts stay different; unpaired surrogates count as U+FFFD.
 */
export function asAttribute(text: string): string {
  return text.toWellFormed().replaceAll(/[^\u0021-\u0024\u0026-\u007e]+/g, encodeURIComponent);
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function dataInvalid(issues: readonly Issue[], event: Event): InvalidEventError {
  const shown = issues
    .slice(0, maxProblems)
    .map(({ path, message }) => `${path.map(String).join(".") || "data"}: ${message}`);
  const more = issues.length > maxProblems ? [`and ${issues.length - maxProblems} more`] : [];
  const pointer = ["/data", ...(issues[0]?.path ?? []).map((key) => escapePointer(String(key)))].join("/");
  return new InvalidEventError("EVENT_DATA_INVALID", [...shown, ...more].join("; "), { pointer }).about({
    ...event,
  });
}

function escapePointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
