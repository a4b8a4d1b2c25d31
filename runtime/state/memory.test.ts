import { expect, test } from "vitest";

import { createMemoryState } from "./memory.ts";
import { windowIdleMs, windowLimits } from "./state.ts";
import type { WindowLimits } from "./state.ts";
import { limitsConformance } from "./limits.conformance.ts";
import { stateConformance } from "./state.conformance.ts";
import { windowProperty } from "./window-property.testing.ts";
import { windowsConformance } from "./windows.conformance.ts";

const open = async (limits?: WindowLimits) => createMemoryState({ now: Date.now, limits });
stateConformance("memory state", open);
windowsConformance("memory state", open);
limitsConformance("memory state", open);
windowProperty("memory state", open);

test("expired groups make room", async () => {
  let now = Date.now();
  const limits = { ...windowLimits, groupsPerSeries: 2 };
  const state = createMemoryState({ now: () => now, limits });
  await state.rebuild([{ series: "s", from: 0 }], async () => {});
  const offer = async (key: string) => {
    const { capped } = await state.window({
      series: "s",
      key,
      member: "m",
      time: now,
      timespanMs: 1000,
      latenessMs: 0,
      window: { kind: "sliding" },
      condition: { kind: "count", atLeast: 1 },
    });
    return capped ?? false;
  };
  const first = now;
  expect([await offer("a"), await offer("b"), await offer("c")]).toEqual([false, false, true]);
  now = first + windowIdleMs;
  expect([await offer("a"), await offer("c")]).toEqual([false, true]);
  now = first + windowIdleMs + 1000;
  expect([await offer("c"), await offer("d"), await offer("a")]).toEqual([false, true, false]);
});
