import { dirname, join, normalize, sep } from "node:path";

/** What a folder may import besides itself; the first row whose folder holds the file decides. */
interface Allowance {
  readonly folder: string;
  readonly may: readonly string[];
  /** What "itself" means, where that is less than the folder. */
  readonly self?: readonly string[];
  readonly nodeBuiltins?: false;
}

const allowances: readonly Allowance[] = [
  { folder: "events", may: [] },
  { folder: "runtime", may: ["events"] },
  { folder: "functions/analysis/sigma", may: [], nodeBuiltins: false },
  { folder: "functions/dashboard/web", may: ["events/contracts"], nodeBuiltins: false },
  { folder: "functions/generator", may: ["events", "runtime"] },
  { folder: "functions/analysis", may: ["events", "runtime"] },
  { folder: "functions/notification", may: ["events", "runtime"] },
  { folder: "functions/dashboard", may: ["events", "runtime"] },
  {
    folder: "functions",
    self: ["functions/index.ts", "functions/main.ts"],
    may: [
      "runtime",
      ...["generator", "analysis", "notification", "dashboard"].map((f) => `functions/${f}/function.ts`),
    ],
  },
  { folder: "cli", may: ["events", "runtime", "functions", "test/support"] },
  { folder: "test", may: ["events", "runtime", "functions", "cli"] },
];

const specifiers =
  /(?:^|[\s;])(?:import|export)\s[^"'`;]*?from\s*["']([^"']+)["']|\bimport\s*\(?\s*["']([^"']+)["']/g;

/** The module specifiers a source text imports, statically or by `import()` of a literal. */
export function importsOf(source: string): readonly string[] {
  return [...source.matchAll(specifiers)].map((match) => match[1] ?? match[2] ?? "");
}

const isTest = (file: string): boolean => /\.(test|conformance|testing)\.ts$/.test(file);

/** The imports of `file` (a path from the repository's root) that the import rule forbids, as sentences. */
export function violations(file: string, source: string): readonly string[] {
  const rule = allowances.find(({ folder }) => file.startsWith(`${folder}/`));
  if (!rule) return [];
  return importsOf(source).flatMap((specifier) => {
    if (!specifier.startsWith(".")) {
      const forbidden = rule.nodeBuiltins === false && specifier.startsWith("node:") && !isTest(file);
      return forbidden ? [`${file} imports ${specifier}: ${rule.folder} may not use Node's built-ins`] : [];
    }
    const target = normalize(join(dirname(file), specifier))
      .split(sep)
      .join("/");
    const folders = isTest(file) ? [...rule.may, "test/support"] : rule.may;
    const allowed = [...(rule.self ?? [rule.folder]), ...folders].some(
      (folder) => target === folder || target.startsWith(`${folder}/`),
    );
    return allowed
      ? []
      : [`${file} imports ${target}: ${rule.folder} may import only ${["itself", ...folders].join(", ")}`];
  });
}
