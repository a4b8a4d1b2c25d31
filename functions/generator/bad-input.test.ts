import { connect } from "node:net";
import { gzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Rig, startGenerator } from "./test-rig.ts";

/** Everything a sender can get wrong: what it is told, and that the process lives on. */

const login = { event_type: "user_login", user_id: "ana" };
const json = { "content-type": "application/json" };

let rig: Rig;
beforeAll(async () => void (rig = await startGenerator()));
afterAll(() => rig[Symbol.asyncDispose]());

const isProblem = { status: expect.any(Number), title: expect.any(String), detail: expect.any(String) };

describe("a request that holds more records than can be answered", () => {
  const many = 10_001;
  test.for([
    ["a list", "/events", `[${"0,".repeat(many - 1)}0]`, "application/json"],
    ["lines", "/events", "0\n".repeat(many), "application/x-ndjson"],
    ["a batch", "/events", `[${"{},".repeat(many - 1)}{}]`, "application/cloudevents-batch+json"],
    ["a source's list", "/sources/cloudtrail", `{"Records":[${"0,".repeat(many - 1)}0]}`, "application/json"],
    ["a source's lines", "/sources/sshd", "x\n".repeat(many), "text/plain"],
  ] as const)("as %s is refused as a whole", async ([, path, body, type]) => {
    const answer = await rig.post(path, body, { "content-type": type });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ ...isProblem, code: "EVENT_BODY_INVALID" });
    expect(JSON.stringify(answer.body).length).toBeLessThan(1000);
  });
});

describe.each(["/events", "/generate_event"])("a body at %s", (path) => {
  test.for([
    ["is an array inside an array", "[[]]", 422, "EVENT_DATA_INVALID"],
    ["is a text", '"user_login"', 422, "EVENT_DATA_INVALID"],
    ["is a number", "5", 422, "EVENT_DATA_INVALID"],
    ["is null", "null", 422, "EVENT_DATA_INVALID"],
    ["is empty", "", 400, "EVENT_BODY_INVALID"],
    ["is cut off", '{"event_type":', 400, "EVENT_BODY_INVALID"],
    [
      "is nested 10,000 levels deep",
      `{"event_type":"x","details":${"[".repeat(1e4)}${"]".repeat(1e4)}}`,
      400,
      "EVENT_TOO_DEEP",
    ],
    ["has a member named __proto__", '{"event_type":"x","__proto__":{"a":1}}', 400, "EVENT_BODY_INVALID"],
    ["has a lone surrogate", String.raw`{"event_type":"x","user_id":"\ud800"}`, 400, "EVENT_BODY_INVALID"],
    ["has a number that is no number", '{"event_type":"x","details":{"n":1e999}}', 400, "EVENT_BODY_INVALID"],
  ] as const)("that %s is refused", async ([, body, status, code]) => {
    const answer = await rig.post(path, body, json);
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.body).toMatchObject({ ...isProblem, status, code });
  });

  test("that is not UTF-8 is refused", async () => {
    const answer = await rig.post(path, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), json);
    expect(answer.body).toMatchObject({ status: 400, code: "EVENT_BODY_INVALID" });
  });

  test("of 1 MiB and a byte is refused, one of 1 MiB is accepted", async () => {
    const frame = JSON.stringify({ ...login, event_id: `huge${path}`, details: { text: "" } }).length;
    const bodyOf = (bytes: number) => ({
      ...login,
      event_id: `huge${path}`,
      details: { text: "x".repeat(bytes - frame) },
    });
    expect((await rig.post(path, bodyOf(1_048_577))).body).toMatchObject({ ...isProblem, status: 413 });
    // The mark that the time was missing needs some room as well.
    expect((await rig.post(path, bodyOf(1_048_500))).status).toBe(202);
  });

  test("that is compressed is refused", async () => {
    const answer = await rig.post(path, gzipSync(JSON.stringify(login)), {
      ...json,
      "content-encoding": "gzip",
    });
    expect(answer.body).toMatchObject({ ...isProblem, status: 415 });
  });

  test.for(["text/plain", "application/x-www-form-urlencoded", "application/xml"])(
    "of type %s is refused",
    async (type) => {
      const answer = await rig.post(path, JSON.stringify(login), { "content-type": type });
      expect(answer.body).toMatchObject({ status: 415, code: "MEDIA_TYPE_UNSUPPORTED" });
      expect(answer.body.detail).toContain("application/json");
    },
  );

  test("of duplicate members, the last counts", async () => {
    const id = `duplicate${path}`;
    const body = `{"event_type":"x","event_id":"${id}","user_id":"first","user_id":"last"}`;
    expect((await rig.post(path, body, json)).status).toBe(202);
    expect(rig.ledger.stored.find((event) => event.id === id)?.data).toMatchObject({ user_id: "last" });
  });
});

describe("a field of an audit event", () => {
  const long = "x".repeat(1025);
  test.for([
    ["event_type is missing", { event_type: undefined }, "/event_type"],
    ["event_type is empty", { event_type: "" }, "/event_type"],
    ["event_type is a number", { event_type: 5 }, "/event_type"],
    ["event_type is huge", { event_type: long }, "/event_type"],
    ["event_type has spaces", { event_type: "user login" }, "/event_type"],
    ["event_id is a number", { event_id: 5 }, "/event_id"],
    ["event_id is empty", { event_id: "" }, "/event_id"],
    ["event_id is huge", { event_id: "x".repeat(257) }, "/event_id"],
    ["timestamp is an object", { timestamp: {} }, "/timestamp"],
    ["source_service is a list", { source_service: [] }, "/source_service"],
    ["source_service is huge", { source_service: long }, "/source_service"],
    ["server_hostname is a number", { server_hostname: 1 }, "/server_hostname"],
    ["severity is an object", { severity: {} }, "/severity"],
    ["user_id is a number", { user_id: 0 }, "/user_id"],
    ["user_id is huge", { user_id: long }, "/user_id"],
    ["action_result is a boolean", { action_result: false }, "/action_result"],
    ["client_ip is a number", { client_ip: 127 }, "/client_ip"],
    ["resource is a list", { resource: [] }, "/resource"],
    ["details is a text", { details: "x" }, "/details"],
    ["details is a list", { details: [] }, "/details"],
    ["tags holds a number", { tags: ["a", 5] }, "/tags/1"],
  ] as const)("is refused when %s, naming it", async ([, change, pointer]) => {
    const answer = await rig.post("/events", { ...login, ...change });
    expect(answer.body).toMatchObject({ status: 422, code: "EVENT_DATA_INVALID", pointer });
    expect(answer.body.detail).toContain(pointer.split("/")[1]);
    expect(answer.body.detail).toContain("(got ");
    expect(answer.body.detail.length).toBeLessThan(400);
  });

  test.for(["yesterday", "", "2026-13-40T00:00:00Z", "2026-02-30T00:00:00Z", -1, 1e300])(
    "is refused when timestamp is %o, which is no time",
    async (timestamp) => {
      const answer = await rig.post("/events", { ...login, timestamp });
      expect(answer.body).toMatchObject({ status: 422, code: "EVENT_TIME_INVALID", pointer: "/timestamp" });
      expect(answer.body.detail).toContain("RFC 3339");
    },
  );
});

describe("an attribute of a CloudEvent", () => {
  const good: Readonly<Record<string, string>> = {
    "ce-specversion": "1.0",
    "ce-type": "io.auditflow.audit.recorded.v1",
    "ce-source": "/my/app",
    ...json,
  };
  let next = 0;
  const send = (change: Record<string, string | undefined>) => {
    const headers = { ...good, "ce-id": `attribute-${(next += 1)}`, ...change };
    const given = Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    );
    // Bytes, because fetch makes up a Content-Type for text.
    return rig.post("/", Buffer.from(JSON.stringify(login)), Object.fromEntries(given));
  };

  test.for([
    ["id", undefined, 400, "EVENT_ATTRIBUTE_MISSING"],
    ["source", undefined, 400, "EVENT_ATTRIBUTE_MISSING"],
    ["type", undefined, 400, "EVENT_ATTRIBUTE_MISSING"],
    ["specversion", undefined, 400, "EVENT_ATTRIBUTE_MISSING"],
    ["id", "", 400, "EVENT_ATTRIBUTE_INVALID"],
    ["source", "", 400, "EVENT_ATTRIBUTE_INVALID"],
    ["source", "not a uri", 400, "EVENT_ATTRIBUTE_INVALID"],
    ["type", "", 400, "EVENT_ATTRIBUTE_INVALID"],
    ["type", "com.example.unknown", 422, "EVENT_TYPE_UNKNOWN"],
    ["specversion", "0.3", 400, "EVENT_ATTRIBUTE_INVALID"],
    ["time", "yesterday", 400, "EVENT_ATTRIBUTE_INVALID"],
    ["id", "x".repeat(9000), 400, "EVENT_ATTRIBUTE_INVALID"],
    ["id", "caf%C3%A9", 400, "EVENT_ATTRIBUTE_INVALID"],
    ["subject", "caf%C3%A9", 400, "EVENT_ATTRIBUTE_INVALID"],
    ["id", "a%0D%0Ace-type: x", 400, "EVENT_ATTRIBUTE_INVALID"],
    ["bad_name", "x", 400, "EVENT_ATTRIBUTE_INVALID"],
  ] as const)("%s: %o is refused", async ([name, value, status, code]) => {
    const answer = await send({ [`ce-${name}`]: value });
    expect(answer.body).toMatchObject({ ...isProblem, status, code });
    if (value === undefined) expect(answer.body.pointer).toBe(`/${name}`);
  });

  test("may not be missing altogether; the answer says where bare JSON goes", async () => {
    const answer = await rig.post("/", login);
    expect(answer.body).toMatchObject({ status: 400, code: "EVENT_ATTRIBUTE_MISSING" });
    expect(answer.body.detail).toContain("POST /events");
  });

  test("batches belong to /events", async () => {
    const answer = await rig.post("/", "[]", { "content-type": "application/cloudevents-batch+json" });
    expect(answer.body).toMatchObject({ status: 415, code: "EVENT_MODE_UNSUPPORTED" });
  });

  test.for(["text/plain", "application/xml", "application/octet-stream"])(
    "data of type %s is refused",
    async (type) => {
      expect((await send({ "content-type": type })).body).toMatchObject({
        status: 422,
        code: "EVENT_DATA_INVALID",
      });
    },
  );

  test("a missing time and a missing Content-Type are tolerated", async () => {
    expect((await send({ "content-type": undefined })).status).toBe(202);
  });

  test("a line feed in a header never gets as far as an event", async () => {
    const answer = await raw(
      rig.served.port,
      "POST / HTTP/1.1\r\nhost: x\r\nce-id: a\nb: c\r\ncontent-length: 0\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
  });
});

test.for([
  ["GET", "/nothing", 404, null],
  ["POST", "/sources/unknown", 404, null],
  ["GET", "/", 405, "POST"],
  ["GET", "/events", 405, "POST"],
  ["DELETE", "/generator", 405, "GET, PUT"],
  ["PUT", "/generate_event", 405, "POST"],
] as const)("%s %s is answered %i", async ([method, path, status, allow]) => {
  const answer = await rig.request(path, { method });
  expect(answer.body).toMatchObject({ ...isProblem, status });
  expect(
    answer.headers
      .get("allow")
      ?.split(", ")
      .filter((name) => name !== "HEAD")
      .join(", ") ?? null,
  ).toBe(allow);
});

test("a clock far in the future is accepted, and marked", async () => {
  const answer = await rig.post("/events", {
    ...login,
    event_id: "future",
    timestamp: "2126-01-01T00:00:00Z",
  });
  expect(answer.status).toBe(202);
  expect(rig.ledger.stored.find(({ id }) => id === "future")).toMatchObject({
    time: "2126-01-01T00:00:00.000Z",
    extensions: { clockskew: true },
  });
});

test("after all of this the process answers", async () => {
  expect((await rig.post("/events", { ...login, event_id: "alive" })).status).toBe(202);
});

/** Sends bytes as they are and gives the beginning of the answer. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.once("data", (data) => {
      resolve(data.toString());
      socket.destroy();
    });
    socket.once("error", reject);
  });
}
