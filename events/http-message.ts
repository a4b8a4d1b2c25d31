/** The part of an HTTP request or response that can carry an event; header names in any case. */
export interface HttpMessage {
  /** As Node gives them: values are latin-1 text, one character per byte. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** A message ready to be sent: header names in lower case, values printable ASCII. */
export interface EncodedMessage {
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}
