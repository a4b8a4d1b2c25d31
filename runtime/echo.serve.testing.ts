import { echo } from "./echo.testing.ts";
import { runFunction } from "./run-function.ts";

/** `echo` in a process of its own, as functions/main.ts runs the real functions. */
await runFunction(async () => echo, process.env);
