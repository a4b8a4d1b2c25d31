import { ConfigError } from "../runtime/config.ts";
import { runFunction } from "../runtime/run-function.ts";
import { targets } from "./index.ts";

/** Runs the function that `FUNCTION_TARGET` names until SIGTERM or SIGINT. */
await runFunction(async () => {
  const target = process.env["FUNCTION_TARGET"] ?? "";
  const load = Object.hasOwn(targets, target) ? targets[target] : undefined;
  if (!load) throw new ConfigError([unknownTarget(target)]);
  return load();
}, process.env);

function unknownTarget(target: string) {
  const choices = Object.keys(targets).join("|");
  const wrong = target === "" ? "is required and not set: one of" : `"${target}" is not one of`;
  return { name: "FUNCTION_TARGET", detail: `${wrong} ${choices}.` };
}
