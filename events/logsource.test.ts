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

type Stated = NonNullable<Parameters<typeof logsourceOf>[0]["logsource"]>;
const stated: readonly (readonly [what: string, logsource: Stated, states: boolean])[] = [
  ["several categories", { product: "linux", category: ["process_creation", "file_event"] }, true],
  ["an attribute of the sender's own", { team: "shop" }, true],
  ["nothing but empty texts", { product: "", category: [] }, false],
  ["nothing but what it is about", { definition: "needs auditd" }, false],
];

test.for(stated)("%s", ([, logsource, states]) => {
  expect(logsourceOf({ event_type: "coffee_made", logsource })).toEqual(states ? logsource : undefined);
});
