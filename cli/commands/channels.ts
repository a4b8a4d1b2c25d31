import { Command } from "commander";
import { z } from "zod";

import { createClient } from "../api.ts";
import { byOf, type CommonOptions, withApiOptions } from "../api-options.ts";
import { listCommand } from "../channels/list.ts";
import { previewCommand } from "../channels/preview.ts";
import type { CommandContext } from "../context.ts";
import { printOne } from "../print.ts";

/** `auditflow channels`: the ways to reach people, what they would send, and whether they work. */
export function channelsCommand(context: CommandContext): Command {
  const channels = new Command("channels").description("ways to reach people: list, preview and test them");
  channels.addCommand(listCommand(context));
  channels.addCommand(previewCommand(context));
  channels.addCommand(testCommand(context));
  return channels;
}

/** What the API answers with is printed as it is. */
const delivery = z.looseObject({});

function testCommand({ env, output }: CommandContext): Command {
  const command = new Command("test")
    .description("send a test message through a channel of a running AuditFlow")
    .argument("<name>", "the channel's name")
    .option("--by <name>", "who does it")
    .addHelpText(
      "after",
      "\nThe answer is the delivery; `auditflow deliveries show <delivery_id>` says what became of it.",
    );
  return withApiOptions(command).action(
    async (name: string, options: CommonOptions & { readonly by?: string }) => {
      const client = await createClient({ ...options, env });
      const answer = await client.request("POST", `/api/v1/channels/${encodeURIComponent(name)}/test`, {
        body: { by: byOf(options, env) },
      });
      printOne(delivery.parse(answer ?? {}), options.output, output);
    },
  );
}
