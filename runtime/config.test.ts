import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";

import { ConfigError, type Environment, parseConfig, parseConfigs } from "./config.ts";
import { hostConfig } from "./host-config.ts";
import { countSetting, flagSetting, urlSetting } from "./settings.ts";

const schema = z.object({
  DATABASE_URL: urlSetting({
    schemes: ["postgres", "postgresql"],
    example: "postgres://user@host:5432/auditflow",
    hint: "Leave it unset to use the embedded store.",
  }).optional(),
  AMQP_URL: z.string().optional(),
  REDIS_URL: z.string().optional(),
  AUDITFLOW_BATCH: countSetting.default(10),
  AUDITFLOW_VERBOSE: flagSetting.default(false),
  AUDITFLOW_SECRET: z.string().min(8).optional(),
  AUDITFLOW_FAILED_LOGIN_THRESHOLD: countSetting.optional(),
});

function problemsOf(env: Environment): string {
  try {
    parseConfigs({ host: hostConfig, own: schema }, env);
    return "";
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
}

const folder = mkdtempSync(join(tmpdir(), "auditflow-config-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

test("every problem of every schema is told at once, with value, choices, example and remedy", () => {
  expect(
    problemsOf({ DATABASE_URL: "not-a-url", LOG_LEVEL: "verbose", PORT: "99999", AUDITFLOW_BATCH: "0" }),
  ).toBe(
    [
      "✗ config  4 settings are wrong (nothing was started)",
      '    PORT             "99999" is too large: at most 65535.',
      '    LOG_LEVEL        "verbose" is not one of trace|debug|info|warn|error|fatal|silent.',
      '    DATABASE_URL     "not-a-url" is not a URL (postgres, postgresql). Example: postgres://user@host:5432/auditflow',
      "                     Leave it unset to use the embedded store.",
      '    AUDITFLOW_BATCH  "0" is too small: at least 1.',
      "  See all settings: npx auditflow doctor --config        exit 2",
    ].join("\n"),
  );
});

test.for([
  [{ AUDITFLOW_VERBOSE: "yes" }, '"yes" is not one of true|false'],
  [{ PORT: "http" }, '"http" is not a number'],
  [{ PORT: "80.5" }, '"80.5" is not an int'],
  [{ K_SINK: "ftp://x" }, '"ftp://x" is not a URL (http, https)'],
  [{ K_CE_OVERRIDES: "{}x" }, 'expected {"extensions":{"name":"value"}}'],
  [{ AUDITFLOW_SECRET: "short" }, "(its value is not shown) is too small: at least 8"],
  [{ DATABASE_URL: "mysql://ana:hunter2@host/x" }, '"mysql://ana:***@host/x" is not a URL'],
  [{ LOG_LEVEL: "x".repeat(500) }, `"${"x".repeat(79)}…" is not one of`],
] as const)("%j is refused", ([env, message]) => {
  expect(problemsOf(env)).toContain(message);
  expect(problemsOf(env)).not.toContain("hunter2");
});

test("a required setting that is missing is told as that", () => {
  expect(() => parseConfig(z.object({ A: z.string() }), {})).toThrow("A  is required and not set.");
});

test("an error says how a process ends because of it", () => {
  expect(new ConfigError([{ name: "A", detail: "is wrong." }])).toMatchObject({
    code: "CONFIG_INVALID",
    exitCode: 2,
  });
});

test("defaults hold, an empty variable counts as absent, and values are converted", () => {
  const env = { AUDITFLOW_BATCH: "", AUDITFLOW_VERBOSE: "true", DATABASE_URL: "" };
  expect(parseConfig(schema, env)).toEqual({ AUDITFLOW_BATCH: 10, AUDITFLOW_VERBOSE: true });
  expect(
    parseConfig(hostConfig, { LOG_LEVEL: "WARNING", K_CE_OVERRIDES: '{"extensions":{"a":"b"}}' }),
  ).toMatchObject({
    PORT: 8080,
    LOG_LEVEL: "warn",
    K_CE_OVERRIDES: { a: "b" },
    AUDITFLOW_DELIVERY_TIMEOUT_MS: 20_000,
  });
});

test("a schema that is transformed or refined is read by its fields too", () => {
  const transformed = schema.refine(() => true).transform(({ AUDITFLOW_BATCH }) => AUDITFLOW_BATCH);
  expect(parseConfig(transformed, { AUDITFLOW_BATCH_FILE: file("batch", "7") })).toBe(7);
});

describe("NAME_FILE", () => {
  test("names a file that holds the value, without the line end an editor adds", () => {
    const env = { AUDITFLOW_SECRET_FILE: file("secret", "correct horse\n") };
    expect(parseConfig(schema, env).AUDITFLOW_SECRET).toBe("correct horse");
  });

  test("is a problem beside NAME, and when the file cannot be read", () => {
    expect(
      problemsOf({ AUDITFLOW_SECRET: "long enough", AUDITFLOW_SECRET_FILE: file("both", "x") }),
    ).toContain("AUDITFLOW_SECRET  is set both directly and by AUDITFLOW_SECRET_FILE");
    expect(problemsOf({ AUDITFLOW_SECRET_FILE: join(folder, "none") })).toMatch(
      /none" cannot be read \(ENOENT/,
    );
  });

  test("is left alone where it is no setting of ours, or a setting by itself", () => {
    expect(
      problemsOf({ SSL_CERT_FILE: join(folder, "none"), AUDITFLOW_LOG_LEVEL_FILE: join(folder, "none") }),
    ).toBe("");
  });
});

describe("the predecessor's names", () => {
  test.for([
    [{ RABBITMQ_HOST: "mq" }, { AMQP_URL: "amqp://mq:5672" }],
    [
      { RABBITMQ_HOST: "mq", RABBITMQ_PORT: "5673", RABBITMQ_USER: "ana", RABBITMQ_PASS: "a/b@c" },
      { AMQP_URL: "amqp://ana:a%2Fb%40c@mq:5673" },
    ],
    [{ REDIS_HOST: "cache", REDIS_PORT: "tcp://10.0.0.1:6380" }, { REDIS_URL: "redis://cache:6380" }],
    [
      { PG_HOST: "db", PG_DB: "audit", PG_USER: "ana", PG_PASSWORD: "x" },
      { DATABASE_URL: "postgres://ana:x@db:5432/audit" },
    ],
    [{ PG_HOST: "db", DATABASE_URL: "postgres://ours/x" }, { DATABASE_URL: "postgres://ours/x" }],
    [{ FAILED_LOGIN_THRESHOLD: "5" }, { AUDITFLOW_FAILED_LOGIN_THRESHOLD: 5 }],
    [
      { FAILED_LOGIN_THRESHOLD: "5", AUDITFLOW_FAILED_LOGIN_THRESHOLD: "6" },
      { AUDITFLOW_FAILED_LOGIN_THRESHOLD: 6 },
    ],
  ] as const)("%j are read as %j", ([env, expected]) => {
    expect(parseConfig(schema, env)).toMatchObject(expected);
  });

  test("take a password from a file", () => {
    const env = { PG_HOST: "db", PG_USER: "ana", PG_PASSWORD_FILE: file("pg", "geheim\n") };
    expect(parseConfig(schema, env).DATABASE_URL).toBe("postgres://ana:geheim@db:5432");
  });
});
