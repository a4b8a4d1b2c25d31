import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { ChannelError } from "../channels/channel.ts";
import { afterFailure, excerpt, type Outcome } from "./policy.ts";

const policy = { firstBackoffMs: 1000, maxBackoffMs: 5000 };
const day = 86_400_000;
const refused = new Error("refused");

const after = (parts: Partial<Parameters<typeof afterFailure>[0]>) =>
  afterFailure({ attempt: 1, error: refused, leftMs: day, chance: 0, ...parts }, policy);
const waitOf = (outcome: Outcome) => (outcome.kind === "again" ? outcome.afterMs : undefined);

const failedAttempt = fc.record({
  attempt: fc.integer({ min: 1, max: 2 ** 31 }),
  chance: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  leftMs: fc.double({ min: -day, max: 3 * day, noNaN: true }),
  error: fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "binary" }).map((text) => new Error(text)),
    fc
      .record({
        passing: fc.boolean(),
        status: fc.oneof(fc.integer({ min: 100, max: 599 }), fc.integer()),
        response: fc.string({ unit: "binary", maxLength: 5000 }),
        retryAfterMs: fc.option(fc.integer({ min: 0, max: 5 * day }), { nil: undefined }),
      })
      .map(
        ({ passing, retryAfterMs, ...answer }) =>
          new ChannelError("no", passing, { ...answer, ...(retryAfterMs !== undefined && { retryAfterMs }) }),
      ),
  ),
});

describe("after a failed attempt", () => {
  test.for([
    [1, 0, 500],
    [1, 1, 1000],
    [2, 1, 2000],
    [3, 1, 4000],
    [4, 1, 5000],
    [1_000_000, 0, 2500],
  ] as const)("number %i, with chance %i, it waits %i ms", ([attempt, chance, afterMs]) => {
    expect(waitOf(after({ attempt, chance }))).toBe(afterMs);
  });

  test("what was refused for good fails at once, with the answer", () => {
    const error = new ChannelError("gone", false, { status: 410, response: "no such hook" });
    expect(after({ error })).toEqual({
      kind: "failed",
      code: "CHANNEL_REFUSED",
      reason: "gone",
      status: 410,
      response: "no such hook",
    });
  });

  test("Retry-After is waited for when it is longer than the back-off", () => {
    const asking = (retryAfterMs: number) => new ChannelError("busy", true, { status: 429, retryAfterMs });
    expect(waitOf(after({ error: asking(120_000) }))).toBe(120_000);
    expect(waitOf(after({ error: asking(10) }))).toBe(500);
    expect(waitOf(after({ error: asking(2 * day) }))).toBe(day - 1000);
  });

  test("right before the horizon there is one more attempt, and none after it", () => {
    expect(waitOf(after({ attempt: 4, leftMs: 3000 }))).toBe(2000);
    expect(after({ attempt: 5, leftMs: 1000 })).toMatchObject({ kind: "failed", reason: "refused" });
    expect(after({ attempt: 5, leftMs: -5 })).toMatchObject({ kind: "failed" });
  });

  test("a wait never outlasts the delivery, is never shorter than half the back-off or than was asked for", () => {
    fc.assert(
      fc.property(failedAttempt, (failed) => {
        const outcome = afterFailure(failed, policy);
        const { error, leftMs, attempt } = failed;
        const isRefused = error instanceof ChannelError && !error.passing;
        const lastMs = leftMs - policy.firstBackoffMs;
        expect(outcome.kind).toBe(isRefused || lastMs <= 0 ? "failed" : "again");
        if (outcome.kind !== "again") return;
        const asked = error instanceof ChannelError ? (error.retryAfterMs ?? 0) : 0;
        const full = Math.min(policy.maxBackoffMs, policy.firstBackoffMs * 2 ** Math.min(attempt - 1, 60));
        expect(outcome.afterMs).toBeGreaterThanOrEqual(
          Math.floor(Math.min(Math.max(full / 2, asked), lastMs)),
        );
        expect(outcome.afterMs).toBeLessThanOrEqual(Math.ceil(Math.min(Math.max(full, asked), lastMs)));
      }),
    );
  });

  test("a delivery that always fails is given up after finitely many attempts, the last one near its end", () => {
    const time = fc.integer({ min: 1, max: 600_000 });
    const chances = fc.double({ min: 0, max: 0.99, noNaN: true });
    fc.assert(
      fc.property(time, chances, (all, chance) => {
        let leftMs = all;
        let outcome: Outcome | undefined;
        for (let attempt = 1; outcome?.kind !== "failed"; attempt += 1) {
          outcome = afterFailure({ attempt, error: refused, leftMs, chance }, policy);
          leftMs -= waitOf(outcome) ?? 0;
          expect(attempt).toBeLessThanOrEqual(3 + all / (policy.firstBackoffMs / 2));
        }
        expect(leftMs).toBeLessThanOrEqual(policy.firstBackoffMs);
      }),
      { numRuns: 50 },
    );
  });

  test("what is kept of errors and answers can be stored and is short", () => {
    fc.assert(
      fc.property(failedAttempt, (failed) => {
        const { reason = "", response = "" } = afterFailure(failed, policy) as {
          reason?: string;
          response?: string;
        };
        expect([reason, response].filter((text) => !isStorable(text))).toEqual([]);
      }),
    );
  });
});

const isStorable = (text: string) =>
  !text.includes("\0") && text.isWellFormed() && Buffer.byteLength(text) <= 2048;

describe("an excerpt", () => {
  test("is the beginning of the text, whole characters only", () => {
    const beer = "🍺".repeat(1000);
    expect(excerpt(beer)).toBe("🍺".repeat(512));
    expect(excerpt("a\0b")).toBe("ab");
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 3000 }), (text) => {
        const short = excerpt(text);
        expect(text.replaceAll("\0", "").startsWith(short)).toBe(true);
        expect(Buffer.byteLength(short)).toBeLessThanOrEqual(2048);
      }),
    );
  });
});
