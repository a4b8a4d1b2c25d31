import { expect, test } from "vitest";

import { pathOf, queryOf } from "./request-target.ts";

test.for([
  ["/", "/"],
  ["/?x=1", "/"],
  ["/dead-letters?x=/y", "/dead-letters"],
  ["/%64ead-letters", "/dead-letters"],
  ["/./x/../dead-letters", "/dead-letters"],
  ["/%2e/dead-letters", "/dead-letters"],
  ["http://anywhere/dead-letters?x", "/dead-letters"],
  ["//dead-letters", "//dead-letters"],
  ["/a%2Fb", "/a%2Fb"],
  ["/%zz/%ff", "/%zz/%ff"],
  ["*", "*"],
] as const)("the path of %s is %s", ([target, path]) => {
  expect(pathOf(target)).toBe(path);
});

test("the query keeps its escapes", () => {
  expect([queryOf("/a?b=%2F?c"), queryOf("/a")]).toEqual(["?b=%2F?c", ""]);
});
