import type { OpenChannel } from "../channels/channel.ts";
import { type Circuit, type CircuitView, createCircuit, type CircuitDeps } from "./circuit.ts";
import type { Claim, Room } from "./store.ts";

/** One channel and what is under way on it: channels do not wait for each other. */
export interface Lane {
  readonly channel: OpenChannel;
  readonly circuit: Circuit;
  inFlight: number;
}

export interface Lanes {
  /** The channels there are now, each as it is configured now. */
  current(): ReadonlyMap<string, Lane>;
  /** How many deliveries each channel can take now; those that can take none are left out. */
  rooms(): readonly Room[];
  /** Channels that wait for nothing but deliveries. */
  ready(): readonly string[];
  /** Whether there may be more that is due than what was claimed. */
  mayWait(rooms: readonly Room[], claims: readonly Claim[]): boolean;
  /** Until the next probe of a receiver that was away. */
  probeInMs(): number | undefined;
  views(): ReadonlyMap<string, CircuitView>;
}

export interface LanesDeps extends Omit<CircuitDeps, "onOpen" | "onClose"> {
  readonly channels: () => ReadonlyMap<string, OpenChannel>;
  /** Attempts under way at once on one channel. */
  readonly limit: number;
  readonly onOpen: (channel: string, forMs: number) => void;
  readonly onClose: (channel: string) => void;
}

/**
 * A lane for every channel. A channel that was configured anew gets a new one, with a closed circuit; what
 * is under way on the old one ends there.
 */
export function createLanes({ channels, limit, onOpen, onClose, ...deps }: LanesDeps): Lanes {
  const lanes = new Map<string, Lane>();

  function open(channel: OpenChannel): Lane {
    const { name } = channel;
    const circuit = createCircuit({
      ...deps,
      onOpen: (forMs) => onOpen(name, forMs),
      onClose: () => onClose(name),
    });
    return { channel, circuit, inFlight: 0 };
  }

  function current(): ReadonlyMap<string, Lane> {
    const now = channels();
    for (const name of lanes.keys()) if (!now.has(name)) lanes.delete(name);
    for (const [name, channel] of now) {
      if (lanes.get(name)?.channel !== channel) lanes.set(name, open(channel));
    }
    return lanes;
  }

  return {
    current,
    rooms() {
      return [...current()].flatMap(([channel, { circuit, inFlight }]) => {
        const room = circuit.allow(limit, inFlight);
        return room > 0 ? [{ channel, room }] : [];
      });
    },
    ready() {
      return [...current()].flatMap(([name, { circuit }]) => (circuit.waitMs() === 0 ? [name] : []));
    },
    mayWait(rooms, claims) {
      const roomOf = new Map(rooms.map(({ channel, room }) => [channel, room]));
      const claimed = (name: string) => claims.filter(({ channel }) => channel === name).length;
      return [...current()].some(([name, { inFlight }]) => {
        const room = roomOf.get(name);
        return room === undefined ? inFlight > 0 : claimed(name) >= room;
      });
    },
    probeInMs() {
      const waits = [...current().values()].flatMap(({ circuit }) => circuit.waitMs() || []);
      return waits.length > 0 ? Math.min(...waits) : undefined;
    },
    views: () => new Map([...current()].map(([name, { circuit }]) => [name, circuit.view()])),
  };
}
