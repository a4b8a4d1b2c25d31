import type { FunctionDefinition } from "../runtime/function.ts";

/** Loads one function; only that one, so that a process starts with nothing it does not need. */
export type LoadFunction = () => Promise<FunctionDefinition>;

/** Every deployable function under the name that `FUNCTION_TARGET` knows it by. */
export const targets: Readonly<Record<string, LoadFunction>> = {
  generator: async () => (await import("./generator/function.ts")).generator,
  analysis: async () => (await import("./analysis/function.ts")).analysis,
  notification: async () => (await import("./notification/function.ts")).notification,
  dashboard: async () => (await import("./dashboard/function.ts")).dashboard,
};
