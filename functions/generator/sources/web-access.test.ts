import { describe, expect, test } from "vitest";

import { adaptOne, meta } from "./adapting.testing.ts";
import { parseAccessLine } from "./access-line.ts";
import { recogniseSource } from "./registry.ts";
import { webAccess } from "./web-access.ts";

const common = '203.0.113.5 - dora [21/Nov/2026:12:30:03 +0100] "GET /till?id=1%27 HTTP/1.1" 404 312';
const combined = `${common} "https://shop.example/" "Mozilla/5.0 (X11)"`;
const time = Date.parse("2026-11-21T11:30:03Z");

describe("a line of an access log", () => {
  test("keeps its time and every character", () => {
    const event = adaptOne(webAccess, combined);
    expect(event).toEqual({
      source: "/auditflow/source/web-access",
      id: event.id,
      time,
      data: {
        event_id: event.id,
        source_service: "web",
        event_type: "web.get",
        user_id: "dora",
        action_result: "FAILURE",
        client_ip: "203.0.113.5",
        resource: "/till",
        details: {
          method: "GET",
          uri: "/till?id=1%27",
          path: "/till",
          query: "id=1%27",
          protocol: "HTTP/1.1",
          status: 404,
          bytes: 312,
          referer: "https://shop.example/",
          user_agent: "Mozilla/5.0 (X11)",
        },
        logsource: { category: "webserver" },
        original: combined,
      },
    });
  });

  test.for([
    ["in the common format", common, { status: 404 }],
    ["with a virtual host before it", `shop.example:443 ${combined}`, { virtual_host: "shop.example" }],
    ["that was answered with nothing", common.replace("312", "-"), {}, "bytes"],
    ["with `-` for what is not known", combined.replace("Mozilla/5.0 (X11)", "-"), {}, "user_agent"],
    [
      "with what a server escapes",
      combined.replace("Mozilla/5.0 (X11)", String.raw`a \"b\" \xC3\xBC \x22`),
      { user_agent: 'a "b" ü "' },
    ],
    ["with a target that has spaces", combined.replace("id=1%27", "a b"), { uri: "/till?a b", query: "a b" }],
    [
      "of a request that is none",
      combined.replace(/"GET.*1.1"/, String.raw`"\x16\x03\x01"`),
      { request: "\u0016\u0003\u0001" },
      "method",
    ],
    ["of an empty request", combined.replace(/"GET.*1.1"/, '"-"'), { request: "-" }],
  ] as const)("%s is read", ([, line, details, absent = "nothing else"]) => {
    const read = adaptOne(webAccess, line).data.details;
    expect(read).toMatchObject(details);
    expect(read).not.toHaveProperty(absent);
  });

  test.for([
    ["<190>Nov 21 12:30:03 web-1 nginx: ", "nginx", "web-1"],
    ["Nov 21 12:30:03 web-2 httpd[812]: ", "apache", "web-2"],
    ["2026-11-21T12:30:03+01:00 web-3 haproxy: ", undefined, "web-3"],
  ] as const)("behind %o is one of %s", ([prefix, server, host]) => {
    const { time: at, data } = adaptOne(webAccess, prefix + combined);
    expect(at).toBe(time);
    expect(data.server_hostname).toBe(host);
    expect(data.logsource?.product).toBe(server);
    expect(data.client_ip).toBe("203.0.113.5");
  });

  test("with what Traefik adds is one of Traefik's", () => {
    const { data } = adaptOne(webAccess, `${combined} 42 "shop@kubernetes" "http://10.42.0.7:8080" 3ms`);
    expect(data.logsource).toEqual({ product: "traefik", category: "webserver", service: "traefik" });
  });

  test("of a client with a name has no address", () => {
    const { data } = adaptOne(webAccess, combined.replace("203.0.113.5", "host.example"));
    expect(data).not.toHaveProperty("client_ip");
    expect(data.user_id).toBe("dora");
  });

  test("is not misled by a user who is called like the rest of a line", () => {
    const user = String.raw`x [21/Nov/2026:00:00:00 +0000] \x22GET / HTTP/1.1\x22 200 1`;
    const { time: at, data } = adaptOne(webAccess, combined.replace("dora", user));
    expect([at, data.action_result, data.user_id]).toEqual([time, "FAILURE", user]);
  });

  test.for([
    ["of an error log", "2026/11/21 12:30:03 [error] 7#7: *1 open() failed, client: 203.0.113.5"],
    ["with an impossible date", common.replace("Nov", "Nop")],
    ["that ends in the request", '203.0.113.5 - - [21/Nov/2026:12:30:03 +0100] "GET /'],
    ["without a status", combined.replace("404", "abc")],
    ["with JSON that is none", '{"status": 200'],
    ["with JSON of something else", '{"status": 200, "hello": 1}'],
    ["that is too long", common.replace("/till", `/${"a".repeat(65_536)}`)],
    ["with nothing in it", "  "],
  ] as const)("%s is refused", ([, line]) => {
    expect(() => webAccess.adapt(line, meta())).toThrow(/expected a line of the common or combined format/);
  });

  test("full of what almost is the end of something takes no longer than its length", () => {
    const worst = ["[21/Nov/2026:12:30:03 +0100] ", String.raw`\x5`, '" ', " - ", "HTTP/1"];
    for (const part of worst) expect(parseAccessLine(part.repeat(20_000))).toBeUndefined();
  });
});

describe("a JSON record of a web server", () => {
  const nginx = {
    time_iso8601: "2026-11-21T12:30:03+01:00",
    remote_addr: "2001:db8::5",
    remote_user: "-",
    request: "POST /login?next=/ HTTP/2.0",
    status: "302",
    body_bytes_sent: "0",
    http_user_agent: "curl/8.9",
    http_host: "shop.example",
  };
  const caddy = {
    level: "info",
    ts: 1_795_260_603.25,
    logger: "http.log.access.log0",
    request: {
      remote_ip: "198.51.100.3",
      method: "PUT",
      host: "shop.example",
      uri: "/a?b=c",
      proto: "HTTP/2.0",
      headers: { "User-Agent": ["curl/8.9"], Referer: ["https://shop.example/"] },
    },
    size: 12,
    status: 201,
  };
  const traefik = {
    ClientHost: "192.0.2.8",
    ClientUsername: "-",
    DownstreamStatus: 500,
    RequestMethod: "DELETE",
    RequestPath: "/api/x",
    RequestHost: "api.example",
    StartUTC: "2026-11-21T11:30:03.123456789Z",
    "request_User-Agent": "Go-http-client/2.0",
  };

  test.for([
    [
      "nginx",
      nginx,
      time,
      { method: "POST", uri: "/login?next=/", status: 302, virtual_host: "shop.example" },
    ],
    ["caddy", caddy, 1_795_260_603_250, { method: "PUT", query: "b=c", referer: "https://shop.example/" }],
    ["traefik", traefik, time + 123, { method: "DELETE", path: "/api/x", user_agent: "Go-http-client/2.0" }],
  ] as const)("of %s is read, as a value or as a line", ([server, record, at, details]) => {
    const event = adaptOne(webAccess, record);
    expect(event.time).toBe(at);
    expect(event.data).toMatchObject({ source_service: server, details, original: record });
    expect(event.data.logsource).toEqual({ product: server, category: "webserver", service: server });
    expect(event.data).not.toHaveProperty("user_id");
    expect(adaptOne(webAccess, JSON.stringify(record)).data.details).toEqual(event.data.details);
    expect(recogniseSource(record)).toBe(webAccess);
  });

  test("with a long target keeps all of it", () => {
    const RequestPath = `/${"a".repeat(5000)}`;
    expect(adaptOne(webAccess, { ...traefik, RequestPath }).data.details?.["uri"]).toBe(RequestPath);
  });

  test("with a time that cannot be read is refused", () => {
    expect(() => webAccess.adapt({ ...traefik, StartUTC: "noon" }, meta())).toThrow(
      /is "noon": expected RFC 3339/,
    );
  });
});
