import { fileURLToPath } from "node:url";

import { hostConformance } from "./host.conformance.ts";
import { startProcess } from "./process.testing.ts";

const cli = fileURLToPath(
  import.meta.resolve("@google-cloud/functions-framework").replace(/index\.js$/, "main.js"),
);
const source = fileURLToPath(new URL("echo.framework.testing.ts", import.meta.url));

/** The framework's own command line, as a process of its own. */
hostConformance("functions-framework", (env) =>
  startProcess([cli, "--target=echo", `--source=${source}`], env),
);
