import { decodeRequest } from "../../events/http.ts";
import type { HttpMessage } from "../../events/http-message.ts";
import { InvalidEventError } from "../../events/invalid-event.ts";

const headers = {
  "ce-specversion": "1.0",
  "ce-id": "e-1",
  "ce-source": "/my/app",
  "ce-type": "com.example.thing",
  "content-type": "application/json",
};

/** A valid message in binary mode, but for the headers given (`undefined` removes one). */
export function binary(changed: HttpMessage["headers"], body: string | Buffer = "{}"): HttpMessage {
  return { headers: { ...headers, ...changed }, body: Buffer.from(body) };
}

/** A valid message in structured mode, but for the members given, or one of exactly this text. */
export function structured(
  members: object | string,
  contentType = "application/cloudevents+json",
): HttpMessage {
  const event = { specversion: "1.0", id: "e-1", source: "/my/app", type: "com.example.thing" };
  const text = typeof members === "string" ? members : JSON.stringify({ ...event, ...members });
  return { headers: { "content-type": contentType }, body: Buffer.from(text) };
}

/** Why the message is refused; throws when it is not, or when anything but the codec's own error comes. */
export function refusalOf(message: HttpMessage): Pick<InvalidEventError, "code" | "pointer"> {
  try {
    const event = decodeRequest(message);
    throw new Error(`was accepted: ${JSON.stringify(event)}`);
  } catch (error) {
    if (!(error instanceof InvalidEventError)) throw error;
    return { code: error.code, pointer: error.pointer };
  }
}
