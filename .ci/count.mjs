// Adds up vitest's JSON reports of a folder: node .ci/count.mjs <folder> <exit code of the run>
import { readdirSync, readFileSync } from "node:fs";

const [folder = ".", exitCode = "0"] = process.argv.slice(2);
const sum = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0 };
for (const file of readdirSync(folder)) {
  const report = JSON.parse(readFileSync(`${folder}/${file}`, "utf8"));
  for (const key of Object.keys(sum)) sum[key] += report[key];
}
// A step that is no test, such as the linter, may be what failed.
const failed = Math.max(sum.numFailedTests, exitCode === "0" ? 0 : 1);
process.stdout.write(`${sum.numPassedTests} passed, ${failed} failed, ${sum.numPendingTests} skipped\n`);
