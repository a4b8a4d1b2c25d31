import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";

/** The folder that holds package.json, with a trailing slash. */
export const packageRoot = fileURLToPath(new URL("../", import.meta.url));

/** The version in package.json. */
export function packageVersion(): string {
  const text = readFileSync(`${packageRoot}package.json`, "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
