import { describe, expect, test, vi } from "vitest";

import { ChannelError } from "../channels/channel.ts";
import { createCircuit } from "./circuit.ts";

const limit = 8;

/** A circuit with clocks of its own. */
function open() {
  const clock = { elapsed: 0, now: Date.parse("2026-11-21T12:00:00Z") };
  const log: string[] = [];
  const circuit = createCircuit({
    breakAfter: 3,
    firstBreakMs: 1000,
    maxBreakMs: 8000,
    now: () => clock.now,
    elapsed: () => clock.elapsed,
    onOpen: (forMs) => log.push(`open ${forMs}`),
    onClose: () => log.push("close"),
  });
  const attempt = async (failure?: Error) => {
    const send = async () => {
      if (failure) throw failure;
      return {};
    };
    await circuit.execute(send).catch(() => undefined);
  };
  const fail = async (times: number, error: Error = new ChannelError("busy", true)) => {
    for (let n = 0; n < times; n += 1) await attempt(error);
  };
  return { circuit, clock, log, attempt, fail };
}

describe("a circuit", () => {
  test("lets through what there is room for, until failures in a row open it", async () => {
    const { circuit, log, attempt, fail } = open();
    expect(circuit.allow(limit, 3)).toBe(5);
    expect(circuit.allow(limit, 9)).toBe(0);
    await fail(2);
    await attempt();
    await fail(2);
    expect(circuit.view().state).toBe("closed");
    await fail(1);
    expect(circuit.allow(limit, 0)).toBe(0);
    expect(circuit.view()).toEqual({ state: "open", since: "2026-11-21T12:00:00.000Z" });
    expect(log).toEqual(["open 1000"]);
  });

  test("what is refused for good is no failure of the receiver", async () => {
    const { circuit, fail } = open();
    await fail(20, new ChannelError("no such user", false));
    expect(circuit.view().state).toBe("closed");
  });

  test("lets one probe through after a while, which closes it or opens it for twice as long", async () => {
    const { circuit, clock, log, attempt, fail } = open();
    await fail(3, new Error("ECONNREFUSED"));
    clock.elapsed = 999;
    expect(circuit.allow(limit, 0)).toBe(0);
    expect(circuit.waitMs()).toBe(1);
    clock.elapsed = 1000;
    expect(circuit.allow(limit, 0)).toBe(1);
    expect(circuit.allow(limit, 1)).toBe(0);
    await fail(1);
    expect(circuit.waitMs()).toBe(2000);
    clock.elapsed = 3000;
    const gate = Promise.withResolvers<object>();
    const probing = circuit.execute(() => gate.promise);
    expect(circuit.view().state).toBe("half-open");
    expect(circuit.allow(limit, 1)).toBe(0);
    gate.resolve({});
    await probing;
    expect(circuit.view().state).toBe("closed");
    expect(circuit.allow(limit, 0)).toBe(limit);
    expect(log).toEqual(["open 1000", "open 2000", "close"]);
    await fail(3);
    expect(log.at(-1)).toBe("open 1000");
    await attempt();
  });

  test("leaves a receiver alone no longer than allowed, and as long as it asks for", async () => {
    const { clock, log, circuit, fail } = open();
    await fail(3, new ChannelError("busy", true, { retryAfterMs: 4321 }));
    for (let n = 0; n < 5; n += 1) {
      clock.elapsed += circuit.waitMs();
      await fail(1);
    }
    expect(log).toEqual(["open 4321", "open 2000", "open 4000", "open 8000", "open 8000", "open 8000"]);
  });

  test.for([86_400_000, -7_200_000])("a wall clock that jumps by %i ms changes nothing", async (jump) => {
    const { circuit, clock, attempt, fail } = open();
    await fail(3);
    clock.now += jump;
    // The library looks at this one.
    vi.spyOn(Date, "now").mockReturnValue(Date.now() + jump);
    expect(circuit.waitMs()).toBe(1000);
    clock.elapsed = 1000;
    expect(circuit.allow(limit, 0)).toBe(1);
    await attempt();
    expect(circuit.view().state).toBe("closed");
  });
});
