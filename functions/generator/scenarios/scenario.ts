import type { AuditRecorded } from "../../../events/contracts/audit-recorded.ts";
import type { Random } from "./random.ts";

/** One thing that happens in a scenario: when, counted from its beginning, and what is recorded of it. */
export interface Step {
  readonly atMs: number;
  readonly data: AuditRecorded;
}

/** A story the generator plays: told anew, but the same way, for every state of `random`. */
export interface Scenario {
  /** Its name in the traffic mix. */
  readonly name: string;
  readonly description: string;
  /** Whether a rule ought to notice it. */
  readonly hostile: boolean;
  /** Rules that come with AuditFlow and alert when it is played by itself, by the ids people know them by. */
  readonly raises: readonly string[];
  /** No step lies further from the beginning. */
  readonly durationMs: number;
  /** Steps of one playing on average; the rate of the traffic is reckoned from it. */
  readonly meanSteps: number;
  readonly play: (random: Random) => readonly Step[];
}

/** Declares a scenario; one file each. */
export function defineScenario(scenario: Scenario): Scenario {
  return scenario;
}
