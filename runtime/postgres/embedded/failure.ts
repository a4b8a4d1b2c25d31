/** The embedded PostgreSQL cannot be used; the message says what to do instead. */
export class EmbeddedPostgresError extends Error {
  override readonly name = "EmbeddedPostgresError";
  readonly code: "EMBEDDED_MISSING" | "EMBEDDED_VERSION" | "EMBEDDED_FAILED";

  constructor(code: EmbeddedPostgresError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
