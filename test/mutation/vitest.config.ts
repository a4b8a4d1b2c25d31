import { defineConfig } from "vitest/config";

const sigma = "functions/analysis/sigma";

/** The tests that say what the language means; the others would only make every mutant slower. */
export default defineConfig({
  test: {
    include: [`${sigma}/{language,loading}/*.test.ts`, `${sigma}/*.test.ts`],
    // They start processes, read SigmaHQ's rules, or are about size and time.
    exclude: [`${sigma}/{engine.readme,corpus,hostile,purity}.test.ts`],
    setupFiles: ["test/mutation/skip-slow.ts"],
    isolate: false,
  },
});
