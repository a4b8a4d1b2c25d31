import type { z } from "zod";

import type { ChannelDeps, Send } from "./channel.ts";
import { consoleChannel } from "./console.ts";
import { webhook } from "./webhook.ts";

/** What all channels read from the environment. */
export const channelSettings = webhook.settings.safeExtend(consoleChannel.settings.shape);

/** The channels that are on, by type. A further one is its file, a line here and one above. */
export function openChannels(
  settings: z.infer<typeof channelSettings>,
  deps: ChannelDeps,
): ReadonlyMap<string, Send> {
  const opened = [
    [consoleChannel.type, consoleChannel.open(settings, deps)],
    [webhook.type, webhook.open(settings, deps)],
  ] as const;
  return new Map(opened.flatMap(([type, send]) => (send ? [[type, send] as const] : [])));
}
