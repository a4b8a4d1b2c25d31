import { expect, test } from "vitest";

import { logsourceOf } from "./logsource.ts";

test.for([
  ["user_login", { category: "authentication" }],
  ["sudo_command", { category: "process_creation" }],
  ["file_modified", { category: "file_change" }],
  ["user_account_management", { category: "account_management" }],
  ["something_of_somebody_else", undefined],
  ["__proto__", undefined],
] as const)("the log source of %s is %o", ([event_type, expected]) => {
  expect(logsourceOf({ event_type })).toEqual(expected);
});

test("what the event states about itself wins over its type", () => {
  const logsource = { product: "aws", service: "cloudtrail" };
  expect(logsourceOf({ event_type: "user_login", logsource })).toEqual(logsource);
});

test("an empty log source states nothing", () => {
  expect(logsourceOf({ event_type: "user_login", logsource: {} })).toEqual({ category: "authentication" });
});
