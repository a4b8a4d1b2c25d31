import { z } from "zod";

import type { EventIdentity } from "../../../events/identity.ts";
import type { WindowMember, WindowName, WindowStep } from "../../../runtime/state/state.ts";
import { conditionOf } from "../sigma/correlating/nature.ts";
import { distinctValueOf } from "../sigma/correlating/tally.ts";
import type { Hit } from "../verdict.ts";
import type { Group } from "./group-key.ts";
import type { Part } from "./plan.ts";

const pair = z.tuple([z.string(), z.string()]);

/** An event as a member of windows: its text can be turned back into its identity. */
export function toMember({ source, id }: EventIdentity): string {
  return JSON.stringify([source, id]);
}

/** The identity behind a member that `toMember` made. */
export function fromMember(member: string): EventIdentity {
  const [source, id] = pair.parse(JSON.parse(member));
  return { source, id };
}

/** The window of a group, by name. */
export function toWindowName({ series, correlation }: Part, { key }: Pick<Group, "key">): WindowName {
  return { key: `${series}/${key}`, timespanMs: correlation.timespanMs };
}

/** What the state is asked about a hit of a correlation that it can be asked about. */
export function toStep(
  { part, group, rules, values }: Hit,
  { member, time }: WindowMember,
  latenessMs: number,
): WindowStep {
  const { correlation, series } = part;
  const condition = conditionOf(correlation);
  if (!condition) throw new Error(`The windows of ${correlation.id} are not the state's.`);
  return {
    ...toWindowName(part, group),
    series,
    member,
    time,
    latenessMs,
    rules,
    value: distinctValueOf({ values }),
    window: correlation.window,
    condition,
  };
}
