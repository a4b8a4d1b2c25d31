import { z } from "zod";

import type { Event } from "../../../events/event.ts";
import { encodeBinary } from "../../../events/http.ts";
import { defineChannel, type Message, type Outgoing } from "./channel.ts";
import { exchange, type Verdict } from "./exchange.ts";
import { checkSecretUrl, plainUrl, secretReference } from "./secret.ts";
import { checkToken, timeoutSetting } from "./settings.ts";

const settings = z.strictObject({
  url: z.union([plainUrl, secretReference]).meta({
    description: "where events are POSTed; a reference when the address is a secret",
    examples: ["https://events.example/alerts"],
  }),
  token: secretReference.optional().meta({ description: "a bearer token" }),
  timeout_ms: timeoutSetting,
});

/** The type of the events this channel sends. */
const messageEventType = "io.auditflow.notification.message.v1";

/**
 * One CloudEvent for each message, in binary mode. Statuses mean what they mean to Knative: 2xx is success;
 * 404, 408, 409, 429 and 5xx may pass; every other one says that the event will never be taken. The
 * receiver tells repetitions by source and id.
 */
export const cloudeventSink = defineChannel({
  type: "cloudevent-sink",
  description: "A CloudEvent over HTTP for each message, in binary mode.",
  settings,
  open({ url, token, timeout_ms: timeoutMs }, deps) {
    const readUrl = typeof url === "string" ? () => url : deps.secrets.open(url, checkSecretUrl);
    const readToken = token && deps.secrets.open(token, checkToken);
    return (outgoing, signal) => {
      const { headers, body } = encodeBinary(toCloudEvent(outgoing));
      const authorization: Record<string, string> = readToken
        ? { authorization: `Bearer ${readToken()}` }
        : {};
      const request = {
        url: readUrl(),
        headers: { ...headers, "user-agent": "auditflow", ...authorization },
        body,
        timeoutMs,
      };
      return exchange({ request, signal, receiver: "The sink", judge }, deps);
    };
  },
});

/** The event of a message; its id is the delivery's. */
function toCloudEvent({ id, message }: Outgoing): Event<Message> {
  return {
    specversion: "1.0",
    id,
    source: "/auditflow/notification",
    type: messageEventType,
    subject: message.data.alert_id,
    time: message.timestamp,
    datacontenttype: "application/json",
    extensions: { severitytext: message.data.severity },
    data: wellFormed(message),
  };
}

/** Half of a surrogate pair cannot be sent in UTF-8: a replacement character takes its place. */
function wellFormed(message: Message): Message {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a copy of the same shape
  return JSON.parse(
    JSON.stringify(message, (_name, value: unknown) =>
      typeof value === "string" ? value.toWellFormed() : value,
    ),
  ) as Message;
}

function judge({ status }: { readonly status: number }): Verdict {
  if (status >= 200 && status <= 299) return "delivered";
  const passes = [404, 408, 409, 429].includes(status) || status >= 500;
  return passes ? "passing" : "permanent";
}
