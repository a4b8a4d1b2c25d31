import { alertmanager } from "./alertmanager.ts";
import type { ChannelDeps, ChannelType, OpenChannel } from "./channel.ts";
import { cloudeventSink } from "./cloudevent-sink.ts";
import { consoleChannel } from "./console.ts";
import { discord } from "./discord.ts";
import { email } from "./email.ts";
import { githubIssue } from "./github-issue.ts";
import { opsgenie } from "./opsgenie.ts";
import { pagerduty } from "./pagerduty.ts";
import { SecretError } from "./secret.ts";
import { slack } from "./slack.ts";
import { teams } from "./teams.ts";
import { telegram } from "./telegram.ts";
import { webhook } from "./webhook.ts";

/** Every kind of channel, by type. A further one is its file, a line here and one above. */
export const channelTypes: ReadonlyMap<string, ChannelType> = new Map(
  [
    consoleChannel,
    webhook,
    slack,
    teams,
    discord,
    telegram,
    email,
    pagerduty,
    opsgenie,
    githubIssue,
    alertmanager,
    cloudeventSink,
  ].map((channel) => [channel.type, channel]),
);

/** A channel as a routes file defines it. */
export interface ChannelDefinition {
  readonly name: string;
  readonly type: string;
  /** Checked against the schema of the type. */
  readonly settings: unknown;
}

/**
 * The defined channels, ready to send, by name. Throws SecretError, which names the channel, when a secret
 * cannot be read, and TypeError for definitions that were not checked before.
 */
export function openChannels(
  definitions: readonly ChannelDefinition[],
  deps: ChannelDeps,
): ReadonlyMap<string, OpenChannel> {
  return new Map(definitions.map((definition) => [definition.name, openChannel(definition, deps)]));
}

function openChannel({ name, type, settings }: ChannelDefinition, deps: ChannelDeps): OpenChannel {
  const channel = channelTypes.get(type);
  if (!channel) throw new TypeError(`Channel "${name}" is of the unknown type "${type}".`);
  try {
    return { name, type, send: channel.open(settings, deps) };
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    throw new SecretError(`Channel "${name}": ${error.message}`, { cause: error });
  }
}
