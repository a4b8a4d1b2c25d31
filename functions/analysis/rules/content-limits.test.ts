import { expect, test } from "vitest";

import { alertsOf, createTestAnalysis, login } from "../analysis.testing.ts";
import { compileRules } from "./compile.ts";

function compile(content: string) {
  const text = `
title: Failed login
logsource: {category: authentication}
detection: {selection: {action_result: FAILURE}, condition: selection}
auditflow: ${content}
`;
  return compileRules([{ file: "a.yml", text }]);
}

const longest = "x".repeat(256);
const contents = [
  (word: string) => `{actor: {type: ${word}}}`,
  (word: string) => `{resource: {type: ${word}}}`,
  (word: string) => `{action: ${word}}`,
  (word: string) => `{alert_name: ${word}}`,
  (word: string) => `{tags: [${word}]}`,
];

test.for(contents)("words are no longer than an alert can tell: %s", async (content) => {
  const { ruleSet, problems } = compile(content(longest));
  expect(problems).toEqual([]);
  const { detect } = createTestAnalysis({ rules: () => ruleSet });
  expect(alertsOf(await detect(login("a", 0)))).toHaveLength(1);

  expect(compile(content(`${longest}x`)).problems).toMatchObject([{ code: "RULE_CONTENT_INVALID" }]);
});

test("repetitions are suppressed for no longer than a window can be", () => {
  const codes = ["366d", "367d", "999999999d"].map((span) =>
    compile(`{suppress: {by: [user_id], for: ${span}}}`).problems.map(({ code }) => code),
  );
  expect(codes).toEqual([[], ["RULE_CONTENT_INVALID"], ["RULE_CONTENT_INVALID"]]);
});
