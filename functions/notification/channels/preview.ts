import { createLog } from "../../../runtime/log.ts";
import type { ChannelDeps, ChannelType, Outgoing } from "./channel.ts";
import type { GuardedRequest } from "./guard.ts";
import type { Posting } from "./mail.ts";
import { describeReference } from "./secret.ts";

/** What a channel would send, in order; in place of secrets stands where they are found. */
export type Previewed =
  | {
      readonly kind: "http";
      readonly method: string;
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      /** JSON where it is JSON. */
      readonly body: unknown;
    }
  | { readonly kind: "mail"; readonly server: string; readonly mail: Posting["mail"] }
  | { readonly kind: "log"; readonly line: unknown };

/**
 * What a channel makes of a message, without sending anything and without reading any secret. Throws
 * ZodError for settings that are not the type's.
 */
export async function previewChannel(
  channel: ChannelType,
  settings: unknown,
  { outgoing, now }: { readonly outgoing: Outgoing; readonly now: number },
): Promise<readonly Previewed[]> {
  const previewed: Previewed[] = [];
  const deps: ChannelDeps = {
    now: () => now,
    log: createLog({
      name: "notification",
      level: "info",
      destination: { write: (line) => void previewed.push({ kind: "log", line: parsed(line) }) },
    }),
    post: async (request) => {
      previewed.push(toPreview(request));
      // An empty list for whoever asks what is there already.
      return { status: 200, headers: {}, body: "[]", retryAfterMs: undefined };
    },
    mail: async ({ mail, server }) => {
      const { host, port, tls, login } = server;
      const user = login === undefined ? "" : `${login.user}@`;
      previewed.push({ kind: "mail", server: `smtp://${user}${host}:${port} (${tls})`, mail });
      return {};
    },
    secrets: { open: (reference) => () => `(${describeReference(reference)})`, scrub: (text) => text },
  };
  await channel.open(settings, deps)(outgoing, new AbortController().signal);
  return previewed;
}

function toPreview({ method = "POST", url, headers, body }: GuardedRequest): Previewed {
  const shown = Object.entries(headers).map(([name, value]) => [
    name,
    name === "webhook-signature" ? value.replaceAll(/v1,\S+/g, "v1,(signature)") : value,
  ]);
  return { kind: "http", method, url, headers: Object.fromEntries(shown), body: parsed(body.toString()) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text.trim();
  }
}
