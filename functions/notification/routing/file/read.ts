import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, join } from "node:path";

import type { RouteFile } from "./document.ts";

/** How often files are read anew that changed while they were read. */
const maxAttempts = 10;

/**
 * The file a path names, or the YAML files of the folder it names, sorted by name. Names that begin with a
 * dot are left out; what a mounted ConfigMap links to them is read through the link. What is answered was
 * there at one time. Throws when something cannot be read.
 */
export async function readRouteFiles(path: string): Promise<readonly RouteFile[]> {
  for (let attempts = 1; ; attempts += 1) {
    const before = await listFiles(path);
    const files = await Promise.all(
      before.map(async ({ file, at }) => ({ file, text: await readFile(at, "utf8") })),
    );
    if (JSON.stringify(before) === JSON.stringify(await listFiles(path))) return files;
    if (attempts === maxAttempts) throw new Error(`${path} changes all the time while it is read.`);
  }
}

async function listFiles(path: string) {
  const found = await stat(path);
  const isFolder = found.isDirectory();
  const names = isFolder ? (await readdir(path)).filter((name) => /^[^.].*\.ya?ml$/.test(name)) : [""];
  if (names.length === 0) throw new Error(`${path} holds no file of routes (*.yaml, *.yml).`);
  return await Promise.all(
    names.toSorted().map(async (name) => {
      const at = isFolder ? join(path, name) : path;
      const { ino, mtimeMs, size } = await stat(at);
      return {
        file: name || basename(path),
        at,
        target: await realpath(at),
        stamp: `${ino} ${mtimeMs} ${size}`,
      };
    }),
  );
}
