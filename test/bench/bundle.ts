import { spawnSync } from "node:child_process";
import { cp } from "node:fs/promises";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type BuildOptions, type Plugin } from "esbuild";

const root = fileURLToPath(new URL("../../", import.meta.url));

export interface Bundle {
  /** One minified CommonJS file. */
  readonly file: string;
}

/** Bundles a script for Node; `import.meta.url` is where the bundle lies. */
export async function bundleFile(entry: string, file: string): Promise<Bundle> {
  await bundle({ entryPoints: [join(root, entry)] }, file, []);
  return { file };
}

/**
 * Bundles one function with the runtime, as an image would carry it. Its entry is not functions/main.ts,
 * which awaits at the top level and knows all targets, but says the same of one target.
 */
export async function bundleFunction(name: string, folder: string): Promise<Bundle> {
  const file = join(folder, `${name}.cjs`);
  await bundle(entryOf(name, "run();"), file, []);
  if (name === "dashboard")
    await cp(join(root, "functions/dashboard/web"), join(folder, "web"), { recursive: true });
  return { file };
}

export interface Snapshot {
  /** What to give to `--snapshot-blob`. */
  readonly blob: string;
}

/**
 * A V8 startup snapshot of a function, taken once everything is loaded; `undefined` and the reason when
 * Node cannot take it. Node's own modules are loaded when they are first used, because most of those that
 * hold handles cannot be in a snapshot.
 */
export async function snapshotFunction(
  name: string,
  folder: string,
): Promise<Snapshot | { readonly reason: string }> {
  const file = join(folder, `${name}.snapshot.cjs`);
  const blob = join(folder, `${name}.blob`);
  const deferred = entryOf(name, "startupSnapshot.setDeserializeMainFunction(run);");
  await bundle(deferred, file, [lazyBuiltins]);
  const taken = spawnSync(process.execPath, ["--snapshot-blob", blob, "--build-snapshot", file], {
    encoding: "utf8",
    timeout: 60_000,
  });
  return taken.status === 0 ? { blob } : { reason: taken.stderr };
}

/** A script of the function and the runtime that ends with this statement. */
function entryOf(name: string, statement: string): BuildOptions {
  const contents = `
    import { startupSnapshot } from "node:v8";
    import { runFunction } from "./runtime/run-function.ts";
    import { ${name} as definition } from "./functions/${name}/function.ts";
    const run = () => void runFunction(async () => definition, process.env);
    ${statement}`;
  return { stdin: { contents, resolveDir: root, loader: "ts" } };
}

async function bundle(entry: BuildOptions, outfile: string, plugins: Plugin[]): Promise<void> {
  await build({
    ...entry,
    outfile,
    plugins,
    bundle: true,
    minify: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    // The ES modules of a package rather than its CommonJS: unused parts fall away.
    mainFields: ["module", "main"],
    banner: { js: 'const bundleUrl=require("node:url").pathToFileURL(__filename).href;' },
    define: { "import.meta.url": "bundleUrl" },
    logLevel: "error",
  });
}

/** Node's modules that a startup snapshot may hold. */
const snapshotable = new Set([
  "assert",
  "buffer",
  "crypto",
  "events",
  "path",
  "process",
  "querystring",
  "stream",
  "string_decoder",
  "timers",
  "url",
  "util",
  "v8",
]);

/** Puts an object of getters in place of each other module of Node's. */
const lazyBuiltins: Plugin = {
  name: "lazy-builtins",
  setup(build) {
    build.onResolve({ filter: /^(?:node:)?[a-z_0-9/]+$/ }, ({ path }) => {
      const name = path.replace(/^node:/, "");
      const isLazy = builtinModules.includes(name) && !snapshotable.has(name);
      return isLazy ? { path: name, namespace: "lazy" } : undefined;
    });
    build.onLoad({ filter: /.*/, namespace: "lazy" }, async ({ path }) => {
      const members = Object.keys(process.getBuiltinModule(path) ?? {});
      const getters = members.map(
        (member) => `get ${JSON.stringify(member)}() { return load()[${JSON.stringify(member)}]; }`,
      );
      return {
        contents: `const load = () => process.getBuiltinModule(${JSON.stringify(path)});\nmodule.exports = { ${getters.join(", ")} };`,
        loader: "js",
      };
    });
  },
};
