import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { eventKey } from "../../../events/identity.ts";
import type { Emission } from "../alert.ts";
import { deliveriesOf, type Sighting, sightingEmission, sightings } from "../emissions.testing.ts";
import { alertsOf, episodesOf } from "./episodes-of.ts";
import { type Episode, joinAlerts } from "./episodes.ts";

/** The table of episodes as the store keeps it, in memory. */
function createTable() {
  const emissions: Emission[] = [];
  const evidence = new Set<string>();
  let episodes: readonly Episode[] = [];
  return {
    episodes: () => episodes,
    add(batch: readonly Emission[]) {
      emissions.push(...batch);
      const ids = new Set(batch.map(({ alertId }) => alertId));
      const alerts = alertsOf(emissions).filter(({ id }) => ids.has(id));
      const added = batch.flatMap(({ groupId, evidence: points }) =>
        points.flatMap((point) => {
          const key = `${groupId} ${eventKey(point).toString("hex")}`;
          if (evidence.has(key)) return [];
          evidence.add(key);
          return [{ groupId, time: point.time }];
        }),
      );
      const touched = episodes.filter((episode) =>
        alerts.some(
          (alert) =>
            alert.groupId === episode.groupId &&
            alert.firstSeen <= episode.lastSeen &&
            episode.firstSeen <= alert.lastSeen,
        ),
      );
      const spans = alerts.map((alert) => ({ ...alert, alertId: alert.id }));
      const joins = joinAlerts(spans, touched, added);
      episodes = [
        ...episodes.filter((episode) => !touched.includes(episode)),
        ...joins.map((join) => join.episode),
      ];
      return joins;
    },
  };
}

const inOrder = (episodes: readonly Episode[]) => episodes.toSorted((a, b) => (a.id < b.id ? -1 : 1));

describe("episodes", () => {
  test.for<[string, readonly Sighting[], readonly { readonly count: number; readonly seconds: number }[]]>([
    ["one alert is one episode", [{ alert: 1, group: 0, events: [1, 2, 3] }], [{ count: 3, seconds: 2 }]],
    [
      "two alerts that share events are one episode, each event counted once",
      [
        { alert: 1, group: 0, events: [1, 2, 3] },
        { alert: 2, group: 0, events: [2, 3, 4] },
      ],
      [{ count: 4, seconds: 3 }],
    ],
    [
      "spans that only touch are one episode",
      [
        { alert: 1, group: 0, events: [1, 3] },
        { alert: 2, group: 0, events: [3, 5] },
      ],
      [{ count: 3, seconds: 4 }],
    ],
    [
      "spans with a gap are two",
      [
        { alert: 1, group: 0, events: [1, 2] },
        { alert: 2, group: 0, events: [3, 4] },
      ],
      [
        { count: 2, seconds: 1 },
        { count: 2, seconds: 1 },
      ],
    ],
    [
      "a late alert bridges two episodes",
      [
        { alert: 1, group: 0, events: [1, 2] },
        { alert: 2, group: 0, events: [5, 6] },
        { alert: 3, group: 0, events: [2, 5] },
      ],
      [{ count: 4, seconds: 5 }],
    ],
    [
      "groups do not mix",
      [
        { alert: 1, group: 0, events: [1, 2] },
        { alert: 1, group: 1, events: [1, 2] },
      ],
      [
        { count: 2, seconds: 1 },
        { count: 2, seconds: 1 },
      ],
    ],
  ])("%s", ([, given, expected]) => {
    const emissions = given.map((sighting) => sightingEmission(sighting));
    const table = createTable();
    for (const emission of emissions) table.add([emission]);
    const found = table.episodes().map((episode) => ({
      count: episode.count,
      seconds: (episode.lastSeen - episode.firstSeen) / 1000,
    }));
    expect(found).toEqual(expected);
    expect(inOrder(table.episodes())).toEqual(inOrder(episodesOf(emissions)));
  });

  test("an episode begins once: an alert that only grows or bridges begins none", () => {
    const table = createTable();
    const add = (sighting: Sighting) =>
      table.add([sightingEmission(sighting)]).map((join) => join.absorbed.length);
    expect(add({ alert: 1, group: 0, events: [1, 2] })).toEqual([0]);
    expect(add({ alert: 1, group: 0, events: [1, 2] })).toEqual([1]);
    expect(add({ alert: 2, group: 0, events: [5, 6] })).toEqual([0]);
    expect(add({ alert: 3, group: 0, events: [2, 5] })).toEqual([2]);
  });

  test("any order, repetition and batching of emissions gives the episodes of their set", () => {
    const cases = sightings.chain((given) => {
      const emissions = given.map((sighting) => sightingEmission(sighting));
      return deliveriesOf(emissions).map((batches) => ({ emissions, batches }));
    });
    fc.assert(
      fc.property(cases, ({ emissions, batches }) => {
        const table = createTable();
        for (const batch of batches) table.add(batch);
        expect(inOrder(table.episodes())).toEqual(inOrder(episodesOf(emissions)));
      }),
      { numRuns: 2000 },
    );
  }, 60_000);
});
