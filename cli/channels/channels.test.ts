import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { describe, expect, test } from "vitest";

import { channelTypes } from "../../functions/notification/channels/index.ts";
import { channelsCommand } from "../commands/channels.ts";
import type { CommandContext } from "../context.ts";

async function run(argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const [out, err]: [string[], string[]] = [[], []];
  const context: CommandContext = {
    env,
    stdin: Readable.from([]),
    stdout: new PassThrough(),
    output: {
      out: (line) => void out.push(line),
      err: (line) => void err.push(line),
      paint: (_colour, text) => text,
    },
    interactive: false,
    interrupted: new AbortController().signal,
    endWith: () => {},
    exitCode: () => 0,
  };
  await channelsCommand(context).exitOverride().parseAsync(argv, { from: "user" });
  return { out: out.join("\n"), err: err.join("\n") };
}

const routes = `
channels:
  chat:
    type: slack
    settings:
      url: {env: SLACK_WEBHOOK_URL}
      template: {title: "{{ alert.actor_id }} did it"}
  mail:
    type: email
    settings:
      host: smtp.example.org
      user: auditflow
      password: {env: SMTP_PASSWORD}
      from: auditflow@example.org
      to: [soc@example.org]
route:
  channels: [chat, mail]
`;

async function withRoutes(text = routes) {
  const folder = await mkdtemp(join(tmpdir(), "auditflow-channels-"));
  const path = join(folder, "routes.yaml");
  await writeFile(path, text);
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

describe("channels", () => {
  test("list has every type, and the settings of each", async () => {
    const { out } = await run(["list"]);
    for (const type of channelTypes.keys()) {
      expect(out).toMatch(new RegExp(`^${type} `, "m"));
      expect(await run(["list", type, "-o", "json"])).toMatchObject({ err: "" });
    }
    expect((await run(["list", "slack"])).out).toMatch(/^url +yes/m);
  });

  test("list of a type that is none says which there are", async () => {
    await expect(run(["list", "slak"])).rejects.toThrow(
      '"slak" is no type of channel: expected one of console,',
    );
  });

  test("preview shows the exact request, and where its secret is found instead of the secret", async () => {
    await using file = await withRoutes();
    const env = { SLACK_WEBHOOK_URL: "https://hooks.example/secret-path", SMTP_PASSWORD: "hunter22" };
    const { out } = await run(["preview", "chat", "--routes", file.path, "-o", "json"], env);
    expect(JSON.parse(out)).toMatchObject([
      {
        kind: "http",
        method: "POST",
        url: "(the variable SLACK_WEBHOOK_URL)",
        body: { text: "root did it" },
      },
    ]);
    const mail = await run(["preview", "mail", "--routes", file.path, "--kind", "digest"], env);
    expect(mail.out).toContain("smtp://auditflow@smtp.example.org:587 (starttls)");
    expect(mail.out).toContain("Subject: Digest: ▲ CRITICAL: 3 alerts");
    expect(out + mail.out).not.toMatch(/secret-path|hunter22/);
  });

  test("preview names the channels there are", async () => {
    await using file = await withRoutes();
    await expect(run(["preview", "chatt", "--routes", file.path])).rejects.toThrow("it has chat, mail");
  });

  test("preview of a file with mistakes says what they are", async () => {
    await using file = await withRoutes(routes.replace("alert.actor_id", "alert.actor_ids"));
    await expect(run(["preview", "chat", "--routes", file.path])).rejects.toThrow(
      "The routes cannot be read.",
    );
  });

  test("a test asks the API, with the token, and prints the delivery", async () => {
    const requests: { url?: string; method?: string; authorization?: string; body: string }[] = [];
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { url, method, headers } = request;
        const { authorization } = headers;
        requests.push({ url, method, authorization, body: Buffer.concat(chunks).toString() });
        const known = url?.includes("sec%20ops");
        response.writeHead(known ? 202 : 404, { "content-type": "application/json" });
        response.end(
          JSON.stringify(known ? { delivery_id: "d-1", status: "pending" } : { detail: "No such channel." }),
        );
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    const env = { AUDITFLOW_URL: `http://127.0.0.1:${port}`, AUDITFLOW_TOKEN: "t0ken", USER: "ana" };
    const { out } = await run(["test", "sec ops", "-o", "json"], env);
    expect(JSON.parse(out)).toEqual({ delivery_id: "d-1", status: "pending" });
    expect(requests).toEqual([
      { url: "/api/v1/channels/sec%20ops/test", method: "POST", authorization: "Bearer t0ken", body: "{}" },
    ]);
    await expect(run(["test", "nobody"], env)).rejects.toThrow("No such channel.");
    await run(["test", "sec ops"], { ...env, AUDITFLOW_TOKEN: "" });
    expect(JSON.parse(requests.at(-1)?.body ?? "")).toEqual({ by: "ana" });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});
