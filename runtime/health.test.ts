import { expect, test } from "vitest";

import { createHealth } from "./health.ts";

test("a dependency is down until it says otherwise, and `since` moves only when the state does", () => {
  let now = 0;
  const health = createHealth(() => now);
  const store = health.dependency("store", { impairs: ["keeping alerts"] });
  expect(health.statuses()).toEqual([
    {
      name: "store",
      up: false,
      since: "1970-01-01T00:00:00.000Z",
      detail: "not connected yet",
      impairs: ["keeping alerts"],
      required: true,
    },
  ]);
  now = 1000;
  store.down(new Error("refused"));
  expect(health.statuses()[0]).toMatchObject({ since: "1970-01-01T00:00:00.000Z", detail: "refused" });
  store.up();
  now = 2000;
  store.up();
  expect(health.statuses()[0]).toMatchObject({ up: true, since: "1970-01-01T00:00:01.000Z" });
  expect(health.statuses()[0]).not.toHaveProperty("detail");
});
