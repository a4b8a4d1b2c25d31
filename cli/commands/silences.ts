import { Command } from "commander";
import { z } from "zod";

import { toTime } from "../alerts/list.ts";
import { alertColumns, alertRow } from "../alerts/rows.ts";
import { createClient } from "../api.ts";
import { byOf, type CommonOptions, withApiOptions } from "../api-options.ts";
import type { CommandContext } from "../context.ts";
import { printOne, printRows } from "../print.ts";
import { asCall, asList, cell } from "../resource.ts";
import { untilOf } from "./alerts.ts";

/** `auditflow silences`: what people do not want to be told of, for a while. */
export function silencesCommand(context: CommandContext): Command {
  const silences = new Command("silences").description("mute what a query matches, for a while");
  silences.addCommand(listCommand(context));
  silences.addCommand(createCommand(context));
  silences.addCommand(previewCommand(context));
  silences.addCommand(
    asCall(
      new Command("show").description("show one silence"),
      (client, id) => client.request("GET", `/api/v1/silences/${id}`),
      context,
    ),
  );
  silences.addCommand(
    asCall(
      new Command("expire").description("end a silence now").option("--by <name>", "who does it"),
      (client, id, options) =>
        client.request("POST", `/api/v1/silences/${id}/expire`, { body: { by: byOf(options, context.env) } }),
      context,
    ),
  );
  return silences;
}

function listCommand(context: CommandContext): Command {
  return asList<CommonOptions & { readonly expired?: boolean }>(
    new Command("list")
      .description("list the silences in force or to come")
      .option("--expired", "those that have ended, instead"),
    {
      path: "/api/v1/silences",
      columns: [
        ["ENDS", cell("ends_at")],
        ["QUERY", cell("query")],
        ["AUTHOR", cell("author")],
        ["COMMENT", cell("comment")],
        ["ID", cell("silence_id")],
      ],
      none: "No silences.",
      query: ({ expired }) => ({ active: expired ? "false" : "true" }),
    },
    context,
  );
}

interface CreateOptions extends CommonOptions {
  readonly comment: string;
  readonly for?: string;
  readonly until?: string;
  readonly by?: string;
}

function createCommand({ env, output }: CommandContext): Command {
  const command = new Command("create")
    .description("mute what a query matches; see first what that would have been with preview")
    .argument("<query>", "such as 'rule:AUTH-* host:staging-*'")
    .requiredOption("-m, --comment <text>", "why")
    .option("--for <duration>", "how long: 30m, 4h, 7d")
    .option("--until <time>", "until when, a date and time")
    .option("--by <name>", "who does it, where there is no login (default: $USER)");
  return withApiOptions(command).action(async (query: string, options: CreateOptions) => {
    const client = await createClient({ ...options, env });
    const answer = await client.request("POST", "/api/v1/silences", {
      body: {
        query,
        comment: options.comment,
        ends_at: untilOf(options.until, options.for),
        by: byOf(options, env),
      },
    });
    printOne(z.looseObject({}).parse(answer), options.output, output);
  });
}

const preview = z.looseObject({
  matched: z.number(),
  capped: z.boolean(),
  true_positives: z.number(),
  sample: z.array(alertRow),
});

function previewCommand({ env, output }: CommandContext): Command {
  const command = new Command("preview")
    .description("what a silence would have muted of the alerts that are kept")
    .argument("<query>")
    .option("--since <time>", "last seen from then on", "30d");
  return withApiOptions(command).action(
    async (query: string, options: CommonOptions & { readonly since: string }) => {
      const client = await createClient({ ...options, env });
      const answer = preview.parse(
        await client.request("POST", "/api/v1/silences/preview", {
          body: { query, from: toTime(options.since) },
        }),
      );
      if (options.output !== "table") return printOne(answer, options.output, output);
      const { matched, capped, true_positives, sample } = answer;
      output.out(
        `would have muted ${matched}${capped ? " or more" : ""} alerts, ${true_positives} of them true positives`,
      );
      return printRows({ rows: sample, columns: alertColumns, none: "" }, "table", output);
    },
  );
}
