import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { createHealth } from "../../../runtime/health.ts";
import { createLog } from "../../../runtime/log.ts";
import { loadRoutes } from "./file/load.ts";
import { defaultRoutes, type Routes } from "./routes.ts";
import { watchRoutes, type WatchRoutesOptions } from "./watch.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "auditflow-routes-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const log = createLog({ name: "test", level: "silent" });
const routesTo = (channel: string) => `route: {channels: [${channel}]}\n`;

async function open(path: string, more: Partial<WatchRoutesOptions> = {}) {
  const health = createHealth(() => 0);
  const watched = await watchRoutes({
    path,
    load: (files) => loadRoutes(files, { channelTypes: new Map(), opened: ["chat", "pager"] }),
    fallback: defaultRoutes(["console"]),
    log,
    now: () => 0,
    health: health.dependency("routes", { impairs: ["routing as configured"], required: false }),
    ...more,
  });
  const channels = () => watched.current().root.channels.join();
  const isUp = () => health.statuses()[0]?.up;
  return { watched, channels, isUp, [Symbol.asyncDispose]: () => watched[Symbol.asyncDispose]() };
}

const eventually = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 20 });

test("a change takes force, one with an error does not, and the next right one does", async () => {
  const path = join(folder, "routes.yaml");
  await writeFile(path, routesTo("chat"));
  const applied: string[] = [];
  await using opened = await open(path, { apply: ({ hash }: Routes) => void applied.push(hash) });
  const first = opened.watched.status().hash;
  expect([opened.channels(), opened.isUp(), applied]).toEqual(["chat", true, ["default", first]]);
  await writeFile(path, routesTo("nobody"));
  await eventually(() => expect(opened.isUp()).toBe(false));
  expect(opened.channels()).toBe("chat");
  expect(opened.watched.status()).toMatchObject({ hash: first, problems: [{ line: 1, column: 20 }] });
  await writeFile(path, routesTo("pager"));
  await eventually(() => expect(opened.channels()).toBe("pager"));
  expect([opened.isUp(), applied.length]).toEqual([true, 3]);
});

test("what is wrong from the start leaves the default in force until it is right", async () => {
  const path = join(folder, "routes.yaml");
  await using opened = await open(path);
  expect([opened.channels(), opened.isUp()]).toEqual(["console", false]);
  await writeFile(path, "route: [");
  await writeFile(path, routesTo("chat"));
  await eventually(() => expect(opened.channels()).toBe("chat"));
  expect(opened.isUp()).toBe(true);
});

test("routes that cannot be applied are not in force", async () => {
  const path = join(folder, "routes.yaml");
  await writeFile(path, routesTo("chat"));
  const apply = ({ hash }: Routes) => {
    if (hash !== "default") throw new Error("The channel cannot be opened.");
  };
  await using opened = await open(path, { apply });
  expect([opened.channels(), opened.isUp()]).toEqual(["console", false]);
  expect(opened.watched.status().problems).toMatchObject([{ message: "The channel cannot be opened." }]);
});

test.each([
  ["the folder", ""],
  ["a file of it", "routes.yaml"],
])("%s of a ConfigMap is followed as its versions are swapped", async (_, name) => {
  const version = async (number: number, channel: string) => {
    await mkdir(join(folder, `..${number}`));
    await writeFile(join(folder, `..${number}`, "routes.yaml"), routesTo(channel));
    await symlink(`..${number}`, join(folder, "..next"));
    await rename(join(folder, "..next"), join(folder, "..data"));
  };
  await version(1, "chat");
  await symlink("..data/routes.yaml", join(folder, "routes.yaml"));
  await using opened = await open(join(folder, name));
  expect(opened.channels()).toBe("chat");
  await version(2, "pager");
  await eventually(() => expect(opened.channels()).toBe("pager"));
});
