import { describe, expect, test } from "vitest";

import { alert, failing, holding, now } from "./examples.testing.ts";
import { keys } from "./keys.ts";
import { matches } from "./predicate.ts";
import { asksForSuppressed, parseQuery, usesEventData } from "./query.ts";

describe("a query of an alert", () => {
  test.for(holding)("holds: %s", (text) => {
    expect(matches(parseQuery(text), alert, now)).toBe(true);
  });

  test.for(failing)("does not hold: %s", (text) => {
    expect(matches(parseQuery(text), alert, now)).toBe(false);
  });

  test("every key, by every name, is among them, both ways", () => {
    for (const key of keys) {
      const isNamed = (text: string) => new RegExp(`(?:^|[\\s(-])${key.name}[:=!]`).test(text);
      expect([key.name, holding.some(isNamed), failing.some(isNamed)]).toEqual([key.name, true, true]);
      for (const alias of key.aliases ?? []) {
        if (alias !== "tags")
          expect([alias, holding.concat(failing).some((text) => text.includes(`${alias}:`))]).toEqual([
            alias,
            true,
          ]);
      }
    }
  });

  test("what is unknown is other than anything asked for", () => {
    const unknown = {
      ...alert,
      actor_id: null,
      correlation_id: null,
      tags: [],
      assignee: null,
      snoozed_until: null,
    };
    const holds = (text: string) => matches(parseQuery(text), unknown, now);
    for (const text of [
      "-actor:x",
      "actor!=x",
      "actor!~x",
      "-actor:*",
      "-has:actor",
      "is:unassigned",
      "-tag:*",
      "-trace:*",
    ]) {
      expect([text, holds(text)]).toEqual([text, true]);
    }
    for (const text of [
      "actor:*",
      'actor:""',
      "actor:~.*",
      "tag:*",
      "has:tag",
      "is:snoozed",
      "is:assigned",
    ]) {
      expect([text, holds(text)]).toEqual([text, false]);
    }
  });

  test("letters beyond ASCII are told apart by case, and are none of ASCII's", () => {
    const holds = (text: string, name: string) =>
      matches(parseQuery(text), { ...alert, alert_name: name }, now);
    expect(holds("name:É", "É")).toBe(true);
    expect(holds("name:É", "é")).toBe(false);
    expect(holds("name:k", "\u212a")).toBe(false);
    expect(holds("name:~^[^k]$", "\u212a")).toBe(true);
  });
});

test("what asks for event data, and for what is suppressed, is known", () => {
  for (const text of ["data.x:1", "a (b OR -data.x:>1)", "has:data.x.y"]) {
    expect(usesEventData(parseQuery(text))).toBe(true);
  }
  expect(usesEventData(parseQuery("has:actor data"))).toBe(false);
  for (const text of ["is:suppressed", "status:open,suppressed", "-(a OR is:suppressed)"]) {
    expect(asksForSuppressed(parseQuery(text))).toBe(true);
  }
  expect(asksForSuppressed(parseQuery("suppressed status:open"))).toBe(false);
});
