import type { ConsumeMessage, Options } from "amqplib";

import type { HeaderValue, Message } from "./broker.ts";

/**
 * An event as the Knative RabbitMQ ingress writes it: attributes in the header table under their own
 * names, message id and content type also as properties where AMQP can hold them, durable.
 */
export function toAmqp({ headers, body }: Message): { body: Buffer; options: Options.Publish } {
  const id = String(headers["id"] ?? "");
  const contentType = String(headers["content-type"] ?? "");
  return {
    body,
    options: {
      headers,
      persistent: true,
      ...(isShort(id) && { messageId: id }),
      ...(contentType && isShort(contentType) && { contentType }),
    },
  };
}

/** Whether AMQP 0-9-1 can hold a text as a property, which is a short string. */
function isShort(text: string): boolean {
  return Buffer.byteLength(text) <= 255;
}

/**
 * Reads such a message, also one whose headers carry the `ce-` prefix of the protocol's document. What
 * RabbitMQ added (`x-death` and the like) is taken out; where it moved the message to the dead letters
 * itself, the queue it gave up on stands for the destination.
 */
export function fromAmqp({ content, properties }: ConsumeMessage): Message {
  const table: Record<string, unknown> = properties.headers ?? {};
  const entries = Object.entries(table).flatMap(
    ([key, value]): readonly (readonly [string, HeaderValue])[] => {
      const name = key.replace(/^ce-/, "");
      const known = name === "content-type" || /^[a-z0-9]+$/.test(name);
      return known && isHeaderValue(value) ? [[name, value]] : [];
    },
  );
  const givenUp = table["x-first-death-queue"];
  const failure: Record<string, HeaderValue> =
    typeof givenUp === "string" ? { knativeerrordest: givenUp, knativeerrorcode: -1 } : {};
  return { headers: { ...failure, ...Object.fromEntries(entries) }, body: content };
}

function isHeaderValue(value: unknown): value is HeaderValue {
  return ["string", "number", "boolean"].includes(typeof value);
}
