/** The event can never be handled; it is recorded as rejected and not delivered again. */
export class PermanentError extends Error {
  override readonly name = "PermanentError";
  /** Stable, of the form `AREA_WHAT`. */
  readonly code: string;
  /** JSON Pointer to the offending place in the event. */
  readonly pointer: string | undefined;

  constructor(code: string, message: string, options: ErrorOptions & { readonly pointer?: string } = {}) {
    super(message, options);
    this.code = code;
    this.pointer = options.pointer;
  }
}

/** A dependency is away or asks for patience; the delivery is answered 503 and comes again. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
  /** What is away, as it is named on `/healthz`. */
  readonly dependency: string;
  readonly retryAfterMs: number;

  constructor(
    dependency: string,
    message: string,
    options: ErrorOptions & { readonly retryAfterMs?: number } = {},
  ) {
    super(message, options);
    this.dependency = dependency;
    this.retryAfterMs = options.retryAfterMs ?? 1000;
  }
}

/** The delivery took longer than it may; it is answered 503 and comes again. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/** A handler returned an event it may not send: a fault of the function, not of the event it handled. */
export class EmitError extends Error {
  override readonly name = "EmitError";
}
