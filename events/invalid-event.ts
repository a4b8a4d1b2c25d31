/** Every code an InvalidEventError can carry; they are stable and the README explains each. */
export const eventErrorCodes = [
  /** A required context attribute is absent. */
  "EVENT_ATTRIBUTE_MISSING",
  /** A context attribute breaks the rules of CloudEvents 1.0, or one is there that may not be. */
  "EVENT_ATTRIBUTE_INVALID",
  /** No contract in force has this `type`. */
  "EVENT_TYPE_UNKNOWN",
  /** `data` does not satisfy the contract of its `type`. */
  "EVENT_DATA_INVALID",
  /** The body cannot be read: not UTF-8, not JSON, or JSON that cannot be passed on unchanged. */
  "EVENT_BODY_INVALID",
  /** The content mode or event format is not understood here. */
  "EVENT_MODE_UNSUPPORTED",
  /** JSON nested deeper than `maxDataDepth`. */
  "EVENT_TOO_DEEP",
] as const;

export type EventErrorCode = (typeof eventErrorCodes)[number];

/** What could be read of a refused event; enough to find it again, never more than 1,024 characters each. */
export interface RefusedEvent {
  readonly id?: string;
  readonly source?: string;
  readonly type?: string;
  readonly time?: string;
}

const identifying = ["id", "source", "type", "time"] as const;
const maxIdentifyingLength = 1024;

/** The event can never be handled: it, or the message that carries it, breaks a rule. */
export class InvalidEventError extends Error {
  override readonly name = "InvalidEventError";
  readonly code: EventErrorCode;
  /** JSON Pointer (RFC 6901) to the place in the event in its JSON format: `/id`, `/data/user_id`. */
  readonly pointer: string | undefined;
  readonly event: RefusedEvent;

  constructor(
    code: EventErrorCode,
    message: string,
    options: ErrorOptions & { readonly pointer?: string | undefined; readonly event?: RefusedEvent } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.pointer = options.pointer;
    this.event = options.event ?? {};
  }

  /** The same error, telling which event it is about. `attributes` may hold anything, also nonsense. */
  about(attributes: Readonly<Record<string, unknown>>): InvalidEventError {
    const event = Object.fromEntries(
      identifying.flatMap((name) => {
        const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
        return typeof value === "string" ? [[name, value.slice(0, maxIdentifyingLength).toWellFormed()]] : [];
      }),
    );
    return new InvalidEventError(this.code, this.message, {
      pointer: this.pointer,
      event,
      cause: this.cause,
    });
  }
}

/** A value as a message quotes it: on one line, and short whatever came in. */
export function quote(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null || typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value !== "string") return typeof value === "object" ? "an object" : `a ${typeof value}`;
  const shown = value.length > 80 ? `${value.slice(0, 79)}…` : value;
  return JSON.stringify(shown);
}
