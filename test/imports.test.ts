import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { importsOf, violations } from "./support/import-rule.ts";

const files = globSync("{cli,events,functions,runtime,test}/**/*.ts", { exclude: ["**/node_modules/**"] });

test("every import keeps to the import rule", () => {
  expect(files.length).toBeGreaterThan(50);
  expect(files.flatMap((file) => violations(file, readFileSync(file, "utf8")))).toEqual([]);
});

test("the check reads the imports it judges", () => {
  const read = files.flatMap((file) => importsOf(readFileSync(file, "utf8")));
  expect(read.filter((specifier) => specifier.startsWith(".")).length).toBeGreaterThan(100);
});

test.for([
  ["events/planted.ts", 'import { serve } from "../runtime/serve.ts";'],
  ["runtime/planted.ts", 'import { analysis } from "../functions/analysis/function.ts";'],
  ["runtime/state/planted.ts", 'export { generator } from "../../functions/generator/function.ts";'],
  ["functions/generator/planted.ts", 'import { fieldsOf } from "../analysis/fields.ts";'],
  ["functions/analysis/sigma/planted.ts", 'import { createHash } from "node:crypto";'],
  ["functions/analysis/sigma/planted.ts", 'import type { Event } from "../../../events/event.ts";'],
  ["functions/planted.ts", 'const load = () => import("./analysis/detector.ts");'],
  ["functions/notification/planted.ts", 'import {\n  run,\n} from "../../cli/main.ts";'],
  ["events/planted.ts", 'import { rabbitmq } from "../test/support/servers.ts";'],
] as const)("a planted violation in %s is found: %s", ([file, source]) => {
  expect(violations(file, source)).toHaveLength(1);
});

test.for([
  ["functions/index.ts", 'const load = () => import("./analysis/function.ts");'],
  ["functions/analysis/detector.ts", 'import type { State } from "../../runtime/state/state.ts";'],
  ["runtime/state/redis.integration.test.ts", 'import { redis } from "../../test/support/servers.ts";'],
  ["functions/analysis/sigma/engine.ts", 'import { parseDocument } from "yaml";'],
] as const)("an allowed import in %s passes: %s", ([file, source]) => {
  expect(violations(file, source)).toEqual([]);
});
