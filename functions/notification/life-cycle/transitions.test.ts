import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { dispositions, type Status, statuses } from "../alert-view.ts";
import { type Action, type ActionName, actionNames, ChangeError, checkChange } from "./action.ts";
import { allowedActions, changedParts, decide, type LifeCycle } from "./transitions.ts";

const now = Date.parse("2026-11-21T12:00:00Z");
const hour = 3_600_000;

function stateOf(status: Status): LifeCycle {
  const disposition = status === "resolved" ? "benign" : null;
  return { status, disposition, assignee: "ana", snoozedUntil: now + hour };
}

const actions: Readonly<Record<ActionName, Action>> = {
  acknowledge: { action: "acknowledge" },
  unacknowledge: { action: "unacknowledge" },
  assign: { action: "assign", assignee: "ben" },
  snooze: { action: "snooze", until: now + 2 * hour },
  unsnooze: { action: "unsnooze" },
  resolve: { action: "resolve", disposition: "true_positive" },
  reopen: { action: "reopen" },
  comment: { action: "comment" },
};

/** Every status × action, written out: `-` refused, `=` unchanged, else the status after the change. */
const expected: Readonly<Record<ActionName, readonly [string, string, string, string, string]>> = {
  //             open            acknowledged     in_progress    resolved    suppressed
  acknowledge: ["acknowledged", "=", "=", "-", "-"],
  unacknowledge: ["=", "open", "open", "-", "-"],
  assign: ["open", "acknowledged", "in_progress", "-", "-"],
  snooze: ["open", "acknowledged", "in_progress", "-", "-"],
  unsnooze: ["open", "acknowledged", "in_progress", "-", "-"],
  resolve: ["resolved", "resolved", "resolved", "-", "-"],
  reopen: ["=", "-", "-", "open", "-"],
  comment: ["open", "acknowledged", "in_progress", "resolved", "suppressed"],
};

function outcomeOf(status: Status, action: Action): string {
  const decision = decide(stateOf(status), action);
  if (decision.kind === "changed") return decision.after.status;
  return decision.kind === "unchanged" ? "=" : "-";
}

describe("the life cycle", () => {
  test.for(actionNames)("%s, from every status", (name) => {
    expect(statuses.map((status) => outcomeOf(status, actions[name]))).toEqual(expected[name]);
  });

  test("a refusal names what is allowed instead, and all of that is", () => {
    for (const status of statuses) {
      for (const name of actionNames) {
        const decision = decide(stateOf(status), actions[name]);
        if (decision.kind !== "refused") continue;
        expect(decision.allowed, `${name} of ${status}`).not.toContain(name);
        for (const other of decision.allowed) expect(outcomeOf(status, actions[other])).not.toMatch(/^[-=]$/);
        expect(decision.allowed).toContain("comment");
      }
    }
    expect(allowedActions("suppressed")).toEqual(["comment"]);
    expect(allowedActions("resolved")).toEqual(["reopen", "comment"]);
  });

  test("resolving ends a snooze and keeps who it was assigned to; reopening forgets the disposition", () => {
    const open = stateOf("open");
    const resolved = {
      status: "resolved",
      disposition: "true_positive",
      assignee: "ana",
      snoozedUntil: null,
    };
    expect(decide(open, actions.resolve)).toEqual({ kind: "changed", after: resolved });
    expect(decide(stateOf("resolved"), actions.reopen)).toMatchObject({
      after: { status: "open", disposition: null, assignee: "ana" },
    });
  });

  test("resolving again as the same changes nothing; as something else it is refused", () => {
    const resolved: LifeCycle = { ...stateOf("resolved"), snoozedUntil: null };
    expect(decide(resolved, { action: "resolve", disposition: "benign" }).kind).toBe("unchanged");
    for (const disposition of dispositions.filter((other) => other !== "benign")) {
      expect(decide(resolved, { action: "resolve", disposition })).toMatchObject({
        kind: "refused",
        allowed: ["reopen", "comment"],
      });
    }
  });

  test("whatever is done twice changes nothing the second time, but for a comment", () => {
    const state = fc.record({
      status: fc.constantFrom(...statuses),
      disposition: fc.constant(null),
      assignee: fc.constantFrom(null, "ana", "ben"),
      snoozedUntil: fc.constantFrom(null, now + hour),
    });
    fc.assert(
      fc.property(state, fc.constantFrom(...actionNames), (before, name) => {
        const once = decide(before, actions[name]);
        if (once.kind !== "changed" || name === "comment") return;
        expect(decide(once.after, actions[name]).kind).toBe("unchanged");
      }),
    );
  });

  test("history tells only what differs, times in RFC 3339", () => {
    const before = stateOf("open");
    const after: LifeCycle = { ...before, status: "resolved", snoozedUntil: null };
    expect(changedParts(before, after)).toEqual({
      before: { status: "open", snoozed_until: "2026-11-21T13:00:00.000Z" },
      after: { status: "resolved", snoozed_until: null },
    });
    expect(changedParts(before, before)).toEqual({ before: {}, after: {} });
  });
});

describe("a change", () => {
  const by = { type: "user", id: "ana" } as const;

  test.for<[string, Parameters<typeof checkChange>[0], string]>([
    ["a comment that says nothing", { action: actions.comment, by, reason: " \n" }, "/reason"],
    ["a reason too long", { action: actions.acknowledge, by, reason: "x".repeat(4097) }, "/reason"],
    ["nobody", { action: actions.acknowledge, by: { type: "user", id: " " } }, "/by"],
    ["a name too long", { action: actions.acknowledge, by: { type: "user", id: "x".repeat(257) } }, "/by"],
    ["an assignee without a name", { action: { action: "assign", assignee: "" }, by }, "/assignee"],
    ["a snooze until now", { action: { action: "snooze", until: now }, by }, "/until"],
    ["a snooze for years", { action: { action: "snooze", until: now + 367 * 24 * hour }, by }, "/until"],
    ["a snooze until no time", { action: { action: "snooze", until: Number.NaN }, by }, "/until"],
  ])("with %s is refused", ([, change, pointer]) => {
    const attempt = () => checkChange(change, now);
    expect(attempt).toThrow(ChangeError);
    expect(attempt).toThrow(expect.objectContaining({ pointer }));
  });

  test("has its texts made storable", () => {
    const change = checkChange(
      {
        action: { action: "assign", assignee: " b\u0000\ud800 " },
        by: { type: "user", id: " ana " },
        reason: "",
      },
      now,
    );
    expect(change).toEqual({ action: { action: "assign", assignee: "b\ufffd\ufffd" }, by });
  });
});
