import type { WindowAnswer, WindowMember, WindowStep } from "./state.ts";

const second = 1000;

/** The window as a plain list, evaluated by brute force from its definition. */
export function createWindowModel(threshold: number) {
  const members = new Map<string, number>();
  const confirmed = new Set<string>();
  const timespan = 10 * second;
  const within = (after: number, upTo: number): WindowMember[] =>
    [...members]
      .map(([member, time]) => ({ member, time }))
      .filter(({ time }) => time > after && time <= upTo)
      .toSorted((a, b) => a.time - b.time || (a.member < b.member ? -1 : 1));
  return {
    window({ member, time }: WindowStep): WindowAnswer {
      members.set(member, time);
      if (time < Math.max(...members.values()) - 20 * second) return { qualified: [], late: true };
      const positions = within(time - 1, time + timespan - 1)
        .map((known) => known.time)
        .filter((position) => within(position - timespan, position).length >= threshold);
      const qualified = [...Map.groupBy(positions, (position) => Math.floor(position / timespan))].map(
        ([bucket, found]) => {
          const [first = 0, last = 0] = [found[0], found.at(-1)];
          const all = within(first - timespan, last);
          return {
            bucket,
            crossedAt: first,
            count: all.length,
            firstSeen: all[0]?.time ?? 0,
            lastSeen: last,
            members: all.filter(
              (known) => known.member === member || !confirmed.has(`${bucket} ${known.member}`),
            ),
          };
        },
      );
      return { qualified, late: false };
    },
    confirm(recorded: WindowAnswer["qualified"]): void {
      for (const { bucket, members } of recorded)
        for (const { member } of members) confirmed.add(`${bucket} ${member}`);
    },
  };
}
