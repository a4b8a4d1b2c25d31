import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { createLog, parseLogLevel } from "./log.ts";
import { watchLogLevel } from "./log-level-file.ts";

function openLog(level: "info" | "debug" = "info") {
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  };
  return { lines, log: createLog({ name: "analysis", level, destination }) };
}

test("a line is one JSON object with time, level in words, function and message", () => {
  const { lines, log } = openLog();
  log.info({ event_id: "e-1" }, "handled");
  expect(lines).toEqual([
    {
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as unknown,
      function: "analysis",
      event_id: "e-1",
      msg: "handled",
    },
  ]);
});

test("the level changes at run time, also for logs that were made from it before", () => {
  const { lines, log } = openLog();
  const child = log.child({ part: "rules" }).child({ file: "x" });
  child.debug("before");
  log.level = "debug";
  child.debug("after");
  log.level = "silent";
  child.fatal("not any more");
  expect(lines.map(({ msg }) => msg)).toEqual(["after"]);
});

test("credentials are not written, wherever headers are logged", () => {
  const { lines, log } = openLog();
  const headers = {
    authorization: "Bearer s3cret",
    cookie: "s3cret",
    "x-hub-signature-256": "s3cret",
    accept: "x",
  };
  log.info({ headers, req: { headers }, request: { headers }, ...headers }, "a request");
  expect(JSON.stringify(lines)).not.toContain("s3cret");
  expect(lines[0]).toMatchObject({ headers: { authorization: "(not shown)", accept: "x" } });
});

test.for([
  ["debug", "debug"],
  [" WARNING\n", "warn"],
  ["CRITICAL", "fatal"],
  ["loud", undefined],
  ["", undefined],
] as const)("%j is read as the level %j", ([text, level]) => {
  expect(parseLogLevel(text)).toBe(level);
});

describe("a watched level file", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "auditflow-level-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("counts from the start and whenever it is written", async () => {
    const { log } = openLog();
    const file = join(folder, "level");
    writeFileSync(file, "debug\n");
    await using _ = await watchLogLevel({ file, log });
    expect(log.level).toBe("debug");
    for (const level of ["error", "trace"]) {
      writeFileSync(file, level);
      await vi.waitFor(() => expect(log.level).toBe(level), { timeout: 5000 });
    }
  });

  test("may be missing, appear later, and be replaced by a rename", async () => {
    const { log } = openLog();
    const file = join(folder, "level");
    await using _ = await watchLogLevel({ file, log });
    expect(log.level).toBe("info");
    writeFileSync(file, "debug");
    await vi.waitFor(() => expect(log.level).toBe("debug"), { timeout: 5000 });
    for (const level of ["warn", "error"]) {
      writeFileSync(`${file}.new`, level);
      renameSync(`${file}.new`, file);
      await vi.waitFor(() => expect(log.level).toBe(level), { timeout: 5000 });
    }
  });

  test("follows a ConfigMap whose ..data link is swapped, again and again", async () => {
    const { log } = openLog();
    const publish = (version: string, level: string) => {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, "level"), level);
      symlinkSync(version, join(folder, "..data_tmp"));
      renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    };
    publish("..1", "warn");
    symlinkSync(join("..data", "level"), join(folder, "level"));
    await using _ = await watchLogLevel({ file: join(folder, "level"), log });
    expect(log.level).toBe("warn");
    for (const [index, level] of ["debug", "error", "info"].entries()) {
      publish(`..${index + 2}`, level);
      rmSync(join(folder, `..${index + 1}`), { recursive: true });
      await vi.waitFor(() => expect(log.level).toBe(level), { timeout: 5000 });
    }
  });

  test("with nonsense in it leaves the level as it is and says so", async () => {
    const { lines, log } = openLog();
    const file = join(folder, "level");
    writeFileSync(file, "loud");
    await using _ = await watchLogLevel({ file, log });
    expect(log.level).toBe("info");
    expect(lines[0]).toMatchObject({ level: "warn", found: "loud" });
  });
});
