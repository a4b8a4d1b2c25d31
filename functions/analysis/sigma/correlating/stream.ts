import type { Correlation } from "../language/correlation.ts";
import type { StreamEvent } from "./kept-members.ts";
import { createStreamGroups, type GroupEntry, type Tell } from "./stream-groups.ts";
import { createStates, type StreamLimits, type StreamState } from "./stream-states.ts";

/** What a stream found: a group of a correlation that is not silent. */
export interface Correlated {
  readonly correlation: Correlation;
  /** The values of `groupBy`, in its order. */
  readonly group: readonly string[];
}

/** Correlations over events as they come, in memory. */
export interface Stream {
  /** Whether there is anything to do at a time even for an event that matches nothing. */
  isDue(time: number): boolean;
  /**
   * Takes an event; answers the groups for which it makes a position qualify, and those whose silence was
   * complete before its time, each once. `time` is in epoch milliseconds; `matchedIds` are the ids of the
   * rules the event matches.
   */
  process(time: number, matchedIds: readonly string[], fields: object): readonly Correlated[];
}

/**
 * Follows correlations through a stream. In order of time, its answers are those of `evaluateWindow` over
 * all the events; what events that come late change is answered when they come. Memory is bounded by the
 * reach of the windows and by `limits`.
 */
export function createStream(correlations: readonly Correlation[], limits: StreamLimits): Stream {
  const byReferred = createStates(correlations, limits);
  const groups = createStreamGroups(limits.groupsPerCorrelation);
  let sequence = 0;

  return {
    isDue: (time) => groups.due < time,
    process(time, matchedIds, fields) {
      const found = new Set<GroupEntry>();
      const waiting = createWaiting();
      const offer = (event: StreamEvent, id: string) => {
        for (const state of byReferred.get(id) ?? []) waiting.add(state, event);
      };
      const tell: Tell = (entry, { isReported, events }) => {
        const { id, silent } = entry.state.correlation;
        if (isReported && !silent) found.add(entry);
        for (const event of events) {
          if (!event.matched.includes(id)) event.matched.push(id);
          offer(event, id);
        }
      };
      groups.settle(time, tell);
      const event = { sequence, time, fields, matched: [...matchedIds] };
      sequence += 1;
      for (const id of matchedIds) offer(event, id);
      for (let next = waiting.take(); next; next = waiting.take()) {
        for (const membership of next.state.membershipOf(next.event.matched, next.event.fields)) {
          const entry = groups.entryFor(next.state, membership);
          tell(entry, entry.group.add(next.event, membership));
          groups.watch(entry);
        }
      }
      return [...found].map(({ state, values }) => ({ correlation: state.correlation, group: values }));
    },
  };
}

/** Events that are to be counted; a correlation takes its turn after all that it refers to. */
function createWaiting() {
  const waiting = new Map<StreamState, Set<StreamEvent>>();
  return {
    add(state: StreamState, event: StreamEvent): void {
      const events = waiting.get(state);
      if (events) events.add(event);
      else waiting.set(state, new Set([event]));
    },
    take(): { readonly state: StreamState; readonly event: StreamEvent } | undefined {
      let first: StreamState | undefined;
      for (const state of waiting.keys()) {
        if (!first || state.order < first.order) first = state;
      }
      if (!first) return undefined;
      const events = waiting.get(first) ?? new Set();
      for (const event of events) {
        events.delete(event);
        if (events.size === 0) waiting.delete(first);
        return { state: first, event };
      }
      return undefined;
    },
  };
}
