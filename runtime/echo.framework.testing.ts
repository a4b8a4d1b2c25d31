import { echo } from "./echo.testing.ts";
import { registerTargets } from "./framework.ts";

/** What functions-framework loads in tests, in place of functions/framework.ts. */
registerTargets(
  { echo: async () => echo },
  { env: process.env, exit: (error) => process.exit(error === undefined ? 0 : 1) },
);
