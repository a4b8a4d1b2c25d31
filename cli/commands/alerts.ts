import { Command, Option } from "commander";

import { changeCommand, type ChangeOptions, type Verb } from "../alerts/change.ts";
import { listCommand } from "../alerts/list.ts";
import { showCommand } from "../alerts/show.ts";
import type { CommandContext } from "../context.ts";
import { CliError, exitCode } from "../exit-code.ts";

/** `auditflow alerts`: read alerts and work on them. */
export function alertsCommand(context: CommandContext): Command {
  const alerts = new Command("alerts").description("list, show and work on alerts");
  alerts.addCommand(listCommand(context));
  alerts.addCommand(showCommand(context));
  for (const verb of plain) alerts.addCommand(changeCommand(verb, context));
  alerts.addCommand(changeCommand(assign, context));
  alerts.addCommand(changeCommand(resolve, context));
  alerts.addCommand(changeCommand(snooze, context));
  return alerts;
}

const plain: readonly Verb[] = [
  {
    name: "ack",
    description: "acknowledge: somebody is looking",
    toAction: () => ({ action: "acknowledge" }),
  },
  {
    name: "unack",
    description: "take an acknowledgement back",
    toAction: () => ({ action: "unacknowledge" }),
  },
  { name: "unsnooze", description: "end a snooze", toAction: () => ({ action: "unsnooze" }) },
  { name: "reopen", description: "open a resolved alert again", toAction: () => ({ action: "reopen" }) },
  {
    name: "comment",
    description: "add a note to the history",
    needsReason: true,
    toAction: () => ({ action: "comment" }),
  },
];

const assign: Verb<ChangeOptions & { readonly to?: string; readonly nobody?: boolean }> = {
  name: "assign",
  description: "give an alert to somebody",
  options: [
    new Option("--to <name>", "who takes it"),
    new Option("--nobody", "take it away from whoever has it").conflicts("to"),
  ],
  toAction({ to, nobody }) {
    if (to === undefined && !nobody)
      throw new CliError("To whom? Give --to <name> or --nobody.", exitCode.usage);
    return { action: "assign", assignee: to ?? null };
  },
};

const dispositions = ["true-positive", "benign", "false-positive", "duplicate", "test"] as const;

const resolve: Verb<ChangeOptions & { readonly as: string }> = {
  name: "resolve",
  description: "close an alert and say what it was",
  options: [new Option("--as <what>", "what it was").choices(dispositions).makeOptionMandatory()],
  toAction: ({ as }) => ({ action: "resolve", disposition: as.replace("-", "_") }),
};

const snooze: Verb<ChangeOptions & { readonly until?: string; readonly for?: string }> = {
  name: "snooze",
  description: "keep an alert quiet for a while",
  options: [
    new Option("--for <duration>", "how long: 30m, 4h, 7d"),
    new Option("--until <time>", "until when, a date and time").conflicts("for"),
  ],
  toAction: ({ until, for: duration }) => ({ action: "snooze", until: untilOf(until, duration) }),
};

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** The end of a time that is given as a duration or as its end, RFC 3339. */
export function untilOf(until: string | undefined, duration: string | undefined): string {
  if (until !== undefined) {
    const ms = Date.parse(until);
    if (Number.isNaN(ms)) throw new CliError(`--until "${until}" is no date and time.`, exitCode.usage);
    return new Date(ms).toISOString();
  }
  if (duration === undefined) {
    throw new CliError("For how long? Give --for 30m|4h|7d or --until <time>.", exitCode.usage);
  }
  const [, amount, unit] = /^(\d{1,5})([smhdw])$/.exec(duration) ?? [];
  if (amount === undefined || !isUnit(unit)) {
    throw new CliError(`--for "${duration}" is no duration: expected such as 30m, 4h or 7d.`, exitCode.usage);
  }
  return new Date(Date.now() + Number(amount) * unitMs[unit]).toISOString();
}

function isUnit(text: string | undefined): text is keyof typeof unitMs {
  return text !== undefined && Object.hasOwn(unitMs, text);
}
