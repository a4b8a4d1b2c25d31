import { defineConfig } from "vitest/config";

/** A folder that gets one JSON report a run, for whoever adds them up. */
const reports = process.env["AUDITFLOW_TEST_REPORTS"];

/**
 * Four projects: `unit` needs nothing, `integration` talks to real servers beside the code it tests,
 * `e2e` proves what no single folder can, `faults` breaks servers of its own and is slow. Where a server is needed and not reachable a test says why it
 * is skipped, or fails when AUDITFLOW_TEST_SERVERS=required.
 */
export default defineConfig({
  test: {
    restoreMocks: true,
    reporters:
      reports === undefined
        ? ["default"]
        : ["default", ["json", { outputFile: `${reports}/${process.pid}.json` }]],
    globalSetup: ["test/support/global-setup.ts"],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["{functions,events,runtime,cli}/**/*.test.ts"],
          exclude: ["**/*.integration.test.ts", "**/node_modules/**"],
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["{functions,events,runtime,cli}/**/*.integration.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/**/*.test.ts"],
          exclude: ["test/faults/**", "**/node_modules/**"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: "faults",
          include: ["test/faults/**/*.test.ts"],
          // Each starts servers of its own and measures how they recover: one at a time.
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
