/*
 * The window operation inside Redis. Text of Lua rather than files, so that a bundle carries it; its parts
 * are in lua/. There is one script for each kind of window and condition, so that none chooses at run time.
 *
 * Keys, all below one prefix: `epoch`, a hash of the server's run_id, the generation of the windows and
 * `series:<name>` -> covered from; `registry`, a sorted set of every window -> when it may expire, plus
 * the member "" that proves that the registry itself is still there; one sorted set per series of its
 * windows -> when they may expire, which only counts them; and one sorted set per window.
 *
 * A window holds everything in one key, so that it can only vanish as a whole:
 *   m<tag><member>     score time             the members; the tag holds their facts, length-prefixed
 *   o<member>          score time + 2^44      not confirmed for the bucket of their own position
 *   n<member>          score time + 2^45      not confirmed for the bucket after that
 *   v<fact>            score time + 3 * 2^44  when a value or rule was shown last, by members evicted too
 *   r<rule>:<member>   score time + (4 + rule) * 2^44   the members that show a rule
 *   f                  score floor - 2^46     every offered event later than the floor was taken in
 *   c                  score cut - 2^46       of those, every one later than the cut is still there
 *   t                  score floor - 2^46     up to where forgotten entries were removed
 *   g                  score time - 2^46      until when the window is registered
 * Event times are whole milliseconds in (0, 2^44), until the year 2527, and rules fewer than 32, so the
 * ranges cannot meet and every score is exact in a double.
 */
import { conditions } from "./lua/conditions.ts";
import { preamble } from "./lua/epoch.ts";
import { evaluate } from "./lua/evaluate.ts";
import { insert } from "./lua/insert.ts";
import type { WindowCondition, WindowKind, WindowLimits, WindowStep } from "./state.ts";

export const pendingOwn = 2 ** 44;
export const pendingNext = 2 ** 45;

export interface WindowScripts {
  /**
   * Adds a member and evaluates what it affects. KEYS epoch, registry, window, groups of the series. ARGV
   * generation, series, member, tag, time, timespan, retained, "", gap, condition, facts... Answers
   * {1} (late), {2} (no room for another group) or {0, buckets...}, see lua/evaluate.ts.
   */
  readonly window: string;
  /** Adds a member during a rebuild: as above, with the coverage of the series in ARGV[8]. */
  readonly add: string;
}

/** The scripts of each kind of window and condition under these limits. */
export function createWindowScripts(limits: WindowLimits) {
  const known = new Map<string, WindowScripts>();
  return ({ window, condition }: Pick<WindowStep, "window" | "condition">): WindowScripts => {
    const name = `${window.kind} ${condition.kind}`;
    const scripts = known.get(name) ?? toScripts(window.kind, conditions[condition.kind], limits);
    known.set(name, scripts);
    return scripts;
  };
}

function toScripts(
  kind: WindowKind["kind"],
  condition: (typeof conditions)[WindowCondition["kind"]],
  limits: WindowLimits,
): WindowScripts {
  const inserted = preamble + condition.asked + insert(limits);
  return { window: inserted + evaluate(kind, condition), add: `${inserted}\nreturn {0}` };
}
