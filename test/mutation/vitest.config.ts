import { defineConfig } from "vitest/config";

/** The tests that say what the language means; the others would only make every mutant slower. */
export default defineConfig({
  test: {
    // Limits against hostile rules take their time, for every mutant that anything reaches.
    testNamePattern: "^(?!.*(of thousands|a few lines cannot repeat|the depth of a document|many keys are compared|UTF-16 has two bytes))",
    isolate: false,
    include: ["functions/analysis/sigma/{language,loading}/*.test.ts", "functions/analysis/sigma/*.test.ts"],
    // One starts a process of its own, which runs what is not mutated; the other reads SigmaHQ's rules.
    exclude: ["**/engine.readme.test.ts", "**/corpus.test.ts"],
  },
});
