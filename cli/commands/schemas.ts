import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Command } from "commander";

import { renderSchemas } from "../../events/schemas.ts";
import type { CommandContext } from "../context.ts";
import { exitCode } from "../exit-code.ts";
import { packageRoot } from "../package.ts";

/** `auditflow schemas`: writes what is generated from the contracts, or checks that it is current. */
export function schemasCommand({ output, endWith }: CommandContext): Command {
  return new Command("schemas")
    .description("write schemas/ from the event contracts and the API")
    .option("--check", "only tell which files would change; ends with 3 when any would")
    .action(async ({ check = false }: { check?: boolean }) => {
      const stale = await staleFiles();
      if (!check) for (const [path, text] of stale) await write(path, text);
      for (const path of stale.keys()) output.out(`${check ? "would change" : "wrote"}  ${path}`);
      if (stale.size === 0) output.err("schemas/ is current");
      else if (check) {
        output.err("Run `npm run schemas` and commit what it writes.");
        endWith(exitCode.problems);
      }
    });
}

/** The generated files whose committed text differs, by path from the repository's root. */
async function staleFiles(): Promise<ReadonlyMap<string, string>> {
  const stale = new Map<string, string>();
  for (const [path, text] of [...(await renderSchemas()), await openApi()]) {
    const committed = await readFile(join(packageRoot, path), "utf8").catch(() => undefined);
    if (committed !== text) stale.set(path, text);
  }
  return stale;
}

/** The document of the API. Loaded here alone, because no other command needs what comes with it. */
async function openApi(): Promise<readonly [path: string, text: string]> {
  const { renderOpenApi } = await import("../../functions/notification/api/document.ts");
  return ["schemas/openapi.json", `${JSON.stringify(renderOpenApi(), undefined, 2)}\n`];
}

async function write(path: string, text: string): Promise<void> {
  const file = join(packageRoot, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
