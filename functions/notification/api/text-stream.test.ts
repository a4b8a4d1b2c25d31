import { expect, test } from "vitest";

import { createLog } from "../../../runtime/log.ts";
import { toBody } from "./text-stream.ts";

const log = createLog({ name: "test", level: "silent" });

/** Texts that tell how many were made and whether the iteration was ended. */
function counted(failAt = Infinity) {
  const state = { made: 0, ended: false };
  async function* texts() {
    try {
      for (; state.made < 1000;) {
        state.made += 1;
        if (state.made === failAt) throw new Error("away");
        yield `${state.made}\n`;
      }
    } finally {
      state.ended = true;
    }
  }
  return { state, texts: texts() };
}

test("no text is made before it is asked for, and whoever goes away ends the iteration", async () => {
  const { state, texts } = counted();
  const body = await toBody(texts, { log, stopping: new AbortController().signal });
  const reader = body.getReader();
  expect(state.made).toBe(1);
  for (let n = 1; n <= 3; n++) {
    const { value } = await reader.read();
    expect(Buffer.from(value ?? []).toString()).toBe(`${n}\n`);
  }
  expect(state).toEqual({ made: 3, ended: false });
  await reader.cancel();
  expect(state).toEqual({ made: 3, ended: true });
});

test("a failure before the first text is thrown, a later one cuts the answer off", async () => {
  const stopping = new AbortController().signal;
  await expect(toBody(counted(1).texts, { log, stopping })).rejects.toThrow("away");
  const reader = (await toBody(counted(2).texts, { log, stopping })).getReader();
  await reader.read();
  await expect(reader.read()).rejects.toThrow("away");
});

test("a process that stops cuts it off", async () => {
  const stopping = new AbortController();
  const { state, texts } = counted();
  const reader = (await toBody(texts, { log, stopping: stopping.signal })).getReader();
  await reader.read();
  stopping.abort(new Error("stopping"));
  await expect(reader.read()).rejects.toThrow("stopping");
  expect(state.ended).toBe(true);
});
