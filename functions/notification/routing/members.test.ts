import { expect, test } from "vitest";

import { loadGroup } from "./members.ts";
import type { DueGroup, StoredMember } from "./read-groups.ts";
import { alertOf } from "./routing.testing.ts";

const group: DueGroup = {
  group_id: "g",
  opened: "1",
  route: "root",
  group_values: {},
  not_before: null,
  last_told_at: null,
  sequence: 0,
};
const alert = alertOf({ alert_id: "kept" });
const row = (change: Partial<StoredMember>): StoredMember => ({
  group_id: "g",
  alert_id: "kept",
  kind: "raised",
  added_at: 1000,
  told_sequence: null,
  held: false,
  escalated: 0,
  alert,
  ...change,
});
const loaded = (...rows: readonly StoredMember[]) => loadGroup(group, rows, () => undefined);

test("alerts that became one are one: told if one was, since the earlier, escalated as far as the further", () => {
  const { state, rowsOf } = loaded(
    row({ added_at: 2000, told_sequence: 1, escalated: 1 }),
    row({ alert_id: "absorbed" }),
  );
  expect(state.members).toMatchObject([
    { id: "kept", told: true, addedAt: 1000, escalated: 1, kind: "raised" },
  ]);
  expect(rowsOf.get("kept")).toHaveLength(2);
});

test("that one of them was reopened is news, whatever was told before", () => {
  const { state } = loaded(
    row({ told_sequence: 1, escalated: 2 }),
    row({ alert_id: "absorbed", kind: "reopened", added_at: 5000 }),
  );
  expect(state.members).toMatchObject([{ told: false, addedAt: 5000, escalated: 0, kind: "reopened" }]);
});

test("an alert that is no longer kept is no member", () => {
  expect(loaded(row({ alert: undefined })).state.members).toEqual([]);
});
