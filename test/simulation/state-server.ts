import { createMemoryState } from "../../runtime/state/memory.ts";
import { type State, StateLostError } from "../../runtime/state/state.ts";
import { createServer, type World } from "./database.ts";

export interface StateServer {
  readonly state: State;
  /** Its memory is gone; afterwards it is another, empty one. */
  lose(): void;
}

/** Makes another state of one, to plant a fault in it. */
export type PlantState = (state: State, world: World) => State;

/** The state that all replicas share, on a server that may fail. */
export function createStateServer(world: World, plant: PlantState = (state) => state): StateServer {
  const statement = createServer(world, { dependency: "redis", fault: "state" });
  const open = () => plant(createMemoryState({ now: world.scheduler.now }), world);
  let current = open();
  const state: State = {
    window: (step) => statement("window", () => current.window(step)),
    confirm: (window, recorded) => statement("confirm", () => current.confirm(window, recorded)),
    confirmLate: (window, recorded) => statement("confirm late", () => current.confirmLate(window, recorded)),
    unconfirmedLate: (window, buckets) =>
      statement("unconfirmed late", () => current.unconfirmedLate(window, buckets)),
    admit: (admission) => statement("admit", () => current.admit(admission)),
    read: (key) => statement("read", () => current.read(key)),
    write: (key, value) => statement("write", () => current.write(key, value)),
    isCurrent: (series) => statement("is current", () => current.isCurrent(series)),
    async rebuild(coverage, replay) {
      const rebuilt = await statement("begin rebuild", () => current);
      await rebuilt.rebuild(coverage, (add) =>
        replay((step) =>
          statement("add", () => {
            if (rebuilt !== current) throw new StateLostError("lost during the rebuild");
            return add(step);
          }),
        ),
      );
      if (rebuilt !== current) throw new StateLostError("lost during the rebuild");
    },
    [Symbol.asyncDispose]: async () => {},
  };
  return {
    state,
    lose() {
      current = open();
    },
  };
}
