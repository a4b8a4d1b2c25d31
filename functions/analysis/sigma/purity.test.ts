import { isBuiltin } from "node:module";
import { build } from "esbuild";
import { expect, test } from "vitest";

/** Bundles code that stands in this folder as for a browser; answers what it is made of. */
async function bundled(contents: string) {
  const { metafile } = await build({
    stdin: { contents, resolveDir: import.meta.dirname, loader: "ts" },
    platform: "browser",
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    external: ["node:*"],
  });
  const files = Object.keys(metafile.inputs);
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports.map(({ path }) => path));
  return { files, builtins: imports.filter((path) => isBuiltin(path)) };
}

const yaml = /node_modules\/yaml\//;

test.for(["compile.ts", "rule-set.ts"])(
  "%s runs where Node's modules are not: a browser, a worker",
  async (entry) => {
    const { builtins, files } = await bundled(`export * from "./${entry}";`);
    expect(builtins).toEqual([]);
    expect(files.length).toBeGreaterThan(10);
  },
);

test("a module of Node's would be found", async () => {
  expect((await bundled('import "node:fs"; export * from "./rule-set.ts";')).builtins).toEqual(["node:fs"]);
});

test("what only matches loads no YAML", async () => {
  const has = async (entry: string) =>
    (await bundled(`export * from "./${entry}";`)).files.some((file) => yaml.test(file));
  expect([await has("compile.ts"), await has("rule-set.ts")]).toEqual([true, false]);
});
