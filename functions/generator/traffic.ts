import type { AuditRecorded } from "../../events/contracts/audit-recorded.ts";
import { deriveUuid } from "../../events/identity.ts";
import { toInstant } from "../../events/time.ts";
import { createRandom } from "./scenarios/random.ts";
import { scenarios } from "./scenarios/registry.ts";
import type { Scenario } from "./scenarios/scenario.ts";

/** What decides every event of the synthetic traffic: the same traffic, the same events, ids and times. */
export interface Traffic {
  readonly seed: number;
  /** When the first scenario begins, epoch milliseconds. */
  readonly startedAt: number;
  /** The long-run average, over all scenarios. */
  readonly eventsPerSecond: number;
  /** How often each scenario is played, relative to the others. */
  readonly mix: Readonly<Record<string, number>>;
}

/** A synthetic audit event: its id, its time in epoch milliseconds, and its data. */
export interface SyntheticEvent {
  readonly id: string;
  readonly time: number;
  readonly data: AuditRecorded;
}

/** Names a traffic; part of every id, so that two different traffics never share one. */
export function trafficId({ seed, startedAt, eventsPerSecond, mix }: Traffic): string {
  const weights = Object.entries(mix)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, weight]) => `${name}=${weight}`);
  return deriveUuid("traffic", String(seed), String(startedAt), String(eventsPerSecond), ...weights);
}

/**
 * The events of a traffic later than `from` and not later than `to` (epoch milliseconds), in order.
 *
 * Scenarios begin at even intervals and overlap, each at its own pace; their number per second is what
 * makes the average rate. What a moment holds depends on the traffic alone, not on how it is asked for:
 * two spans side by side give the same events as their union.
 */
export function eventsBetween(traffic: Traffic, from: number, to: number): readonly SyntheticEvent[] {
  const weighted = weigh(traffic.mix);
  if (weighted.length === 0) return [];
  const longest = Math.max(...weighted.map(({ scenario }) => scenario.durationMs));
  const intervalMs = (meanSteps(weighted) * 1000) / traffic.eventsPerSecond;
  const first = Math.max(0, Math.floor((from - longest - traffic.startedAt) / intervalMs));
  const last = Math.floor((to - traffic.startedAt) / intervalMs);
  const name = trafficId(traffic);
  const found: SyntheticEvent[] = [];
  for (let playing = first; playing <= last; playing += 1) {
    const random = createRandom(traffic.seed, playing);
    const scenario = choose(weighted, random.next());
    const begin = traffic.startedAt + Math.round(playing * intervalMs);
    if (begin + scenario.durationMs <= from) continue;
    for (const [index, step] of scenario.play(random).entries()) {
      const time = begin + step.atMs;
      if (time <= from || time > to) continue;
      const id = deriveUuid("synthetic", name, String(playing), String(index));
      found.push({ id, time, data: label(step.data, scenario, { id, time }) });
    }
  }
  return found.toSorted((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1));
}

interface Weighted {
  readonly scenario: Scenario;
  /** Its share of all playings, 0 to 1. */
  readonly share: number;
}

function weigh(mix: Traffic["mix"]): readonly Weighted[] {
  const chosen = [...scenarios.values()].flatMap((scenario) => {
    const weight = mix[scenario.name] ?? 0;
    return weight > 0 ? [{ scenario, weight }] : [];
  });
  const total = chosen.reduce((sum, { weight }) => sum + weight, 0);
  return chosen.map(({ scenario, weight }) => ({ scenario, share: weight / total }));
}

function meanSteps(weighted: readonly Weighted[]): number {
  return weighted.reduce((sum, { scenario, share }) => sum + scenario.meanSteps * share, 0);
}

function choose(weighted: readonly Weighted[], chance: number): Scenario {
  let left = chance;
  const chosen = weighted.find(({ share }) => (left -= share) < 0) ?? weighted.at(-1);
  if (chosen === undefined) throw new Error("A traffic without scenarios was asked for an event.");
  return chosen.scenario;
}

/** Synthetic events say so: nobody may take them for evidence. */
function label(
  data: AuditRecorded,
  { name }: Scenario,
  { id, time }: { readonly id: string; readonly time: number },
): AuditRecorded {
  return { event_id: id, timestamp: toInstant(time), ...data, tags: ["synthetic", `scenario:${name}`] };
}
