import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { z } from "zod";

import { channelTypes, openChannels } from "./index.ts";
import { message, openReceiver, testDeps } from "./receiver.testing.ts";
import { createReadSecret, createSecrets, plainUrl, secretReference } from "./secret.ts";

const literal = "xoxb-123456-literal-secret";

async function openFolder() {
  const path = await mkdtemp(join(tmpdir(), "auditflow-secret-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

describe("references to secrets", () => {
  test.for([
    [literal, "must be a reference, {env: NAME} or {file: /path}"],
    [{ value: literal }, "must be a reference, {env: NAME} or {file: /path}"],
    [{ env: "A", file: "/b" }, "must be a reference, {env: NAME} or {file: /path}"],
    [7, "must be a reference, {env: NAME} or {file: /path}"],
    [null, "must be a reference, {env: NAME} or {file: /path}"],
    [{ env: literal }, "must be the name of a variable"],
    [{ env: "" }, "must be the name of a variable"],
    [{ file: "" }, "must be the path of a file"],
  ] as const)("%j is none, and the answer does not repeat it", ([given, problem]) => {
    const { error } = secretReference.safeParse(given);
    expect(JSON.stringify(error?.issues)).toContain(problem);
    expect(JSON.stringify(error?.issues)).not.toContain(literal);
  });

  test("a variable that is not set, or a file that cannot be read, is named", () => {
    const read = createReadSecret({ EMPTY: " " });
    expect(() => read({ env: "MISSING" })).toThrow("the variable MISSING is not set, or empty.");
    expect(() => read({ env: "EMPTY" })).toThrow("the variable EMPTY is not set, or empty.");
    expect(() => read({ file: "/nowhere/secret" })).toThrow(
      "the file /nowhere/secret cannot be read (ENOENT).",
    );
  });

  test("a secret that is no such secret is refused when the channel is opened, without being repeated", () => {
    const definitions = [{ name: "soc", type: "slack", settings: { url: { env: "URL" } } }];
    const open = (url: string) => () => openChannels(definitions, testDeps({ URL: url }));
    expect(open("not-an-address-but-secret")).toThrow(
      'Channel "soc": the variable URL does not hold an address, http:// or https://.',
    );
    expect(open("")).toThrow('Channel "soc": the variable URL is not set, or empty.');
    expect(open("https://hooks.example/x")).not.toThrow();
  });

  test("a file is read anew for every message, so that a secret can be rotated", async () => {
    await using folder = await openFolder();
    await using first = await openReceiver();
    await using second = await openReceiver();
    const file = join(folder.path, "url");
    await writeFile(file, `${first.url}/one\n`);
    const definitions = [{ name: "soc", type: "slack", settings: { url: { file } } }];
    const send = openChannels(definitions, testDeps()).get("soc")?.send;
    const signal = AbortSignal.timeout(5000);
    await send?.({ id: "1", message }, signal);
    await writeFile(file, `${second.url}/two\n`);
    await send?.({ id: "2", message }, signal);
    expect([first.requests[0]?.path, second.requests[0]?.path]).toEqual(["/one", "/two"]);
    await rm(file);
    await expect((async () => send?.({ id: "3", message }, signal))()).rejects.toThrow("cannot be read");
  });

  test("what was read is struck out, also as a part of an address or encoded", () => {
    const address = "https://hooks.example/services/T0/B0/abcdefghij?sig=0123456789";
    const secrets = createSecrets(createReadSecret({ URL: address, TOKEN: 'quo"ted/secret' }));
    secrets.open({ env: "URL" })();
    secrets.open({ env: "TOKEN" })();
    const scrubbed = secrets.scrub(
      [
        address,
        "GET /services/T0/B0/abcdefghij?sig=0123456789",
        "abcdefghij",
        "sig 0123456789",
        'quo"ted/secret',
        JSON.stringify('quo"ted/secret'),
        encodeURIComponent('quo"ted/secret'),
      ].join(" | "),
    );
    expect(scrubbed).not.toMatch(/abcdefghij|0123456789|ted.{1,3}secret/);
    expect(scrubbed).toContain("GET (secret)");
    expect(secrets.scrub("services and nothing secret")).toBe("(secret) and nothing secret");
  });

  test.for([
    "https://hooks.slack.com/services/T/B/x",
    "https://discord.com/api/webhooks/1/x",
    "https://canary.discord.com/api/webhooks/1/x",
    "https://prod-1.westeurope.logic.azure.com/workflows/x",
    "https://x.webhook.office.com/webhookb2/x",
    "https://api.telegram.org/bot1:x/sendMessage",
    "https://user:password@hooks.example/",
    "ftp://hooks.example/",
    "hooks.example",
  ])("%s does not stand in a file", (url) => {
    const { error } = plainUrl.safeParse(url);
    expect(error).toBeDefined();
    expect(JSON.stringify(error?.issues)).not.toContain(url);
  });
});

describe("settings of every type", () => {
  /** Paths of settings that hold secrets, from the schema. */
  function secretsOf(schema: z.ZodType): readonly string[] {
    const { shape = {} } = schema as { shape?: Record<string, z.ZodType> };
    return Object.entries(shape).flatMap(([name, part]) =>
      part.safeParse({ env: "NAME" }).success ? [name] : [],
    );
  }

  test.for([...channelTypes.values()].map((channel) => [channel.type, channel] as const))(
    "%s: unknown settings are refused, and literal secrets without being repeated",
    ([type, { settings }]) => {
      const { error } = settings.safeParse({ nonsense: 1 });
      expect(JSON.stringify(error?.issues)).toContain("nonsense");
      const names = secretsOf(settings);
      expect(names.length > 0).toBe(type !== "console");
      for (const name of names) {
        const { error: refusal } = settings.safeParse({ [name]: `${literal}!` });
        const issue = refusal?.issues.find(({ path }) => path[0] === name);
        expect(issue, name).toBeDefined();
        expect(JSON.stringify(refusal?.issues)).not.toContain(literal);
      }
    },
  );
});
