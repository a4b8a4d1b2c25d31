import { expect, test } from "vitest";

import { eventErrorCodes, InvalidEventError } from "../../events/invalid-event.ts";
import { UnavailableError } from "../../runtime/failure.ts";
import { problemOf, problemResponse, problems, RequestError } from "./problem.ts";

test("every code an event can be refused for has a status and a title", () => {
  expect(Object.keys(problems)).toEqual(expect.arrayContaining([...eventErrorCodes]));
});

test.for([
  [new RequestError("EVENT_ID_REUSED", "taken", { pointer: "/id" }), 409, "taken"],
  [new InvalidEventError("EVENT_DATA_INVALID", "bad", { pointer: "/data" }), 422, "bad"],
  [
    new UnavailableError("postgres", "ECONNREFUSED 10.0.0.1", { retryAfterMs: 1500 }),
    503,
    "postgres is not available",
  ],
  [new Error("password=hunter2"), 500, "It is safe to send it again"],
  ["a thrown text", 500, "It is safe to send it again"],
] as const)("%s is told as a problem", async ([failure, status, detail]) => {
  const response = problemResponse(problemOf(failure));
  expect([response.status, response.headers.get("content-type")]).toEqual([
    status,
    "application/problem+json",
  ]);
  const body = await response.json();
  expect(body).toMatchObject({ status, detail: expect.stringContaining(detail), title: expect.any(String) });
  expect(JSON.stringify(body)).not.toMatch(/hunter2|10\.0\.0\.1|thrown/);
  expect(response.headers.get("retry-after")).toBe(status === 503 ? "2" : null);
});
