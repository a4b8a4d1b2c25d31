import { foreignAddresses, hosts, login, people } from "./cast.ts";
import { defineScenario } from "./scenario.ts";

export const successAfterFailures = defineScenario({
  name: "success-after-failures",
  description: "A stranger guesses somebody's password: failures, then a success from the same address.",
  hostile: true,
  raises: ["ANLY-SEC-001", "AUTH-GUESSED-001"],
  durationMs: 60_000,
  meanSteps: 6,
  play(random) {
    const attempt = {
      user: random.pick(people),
      host: random.pick(hosts),
      address: random.pick(foreignAddresses),
    };
    const failures = random.between(4, 6);
    return Array.from({ length: failures + 1 }, (_, index) => ({
      atMs: index * 5_000 + random.between(0, 3_000),
      data: login(attempt, index < failures ? "FAILURE" : "SUCCESS"),
    }));
  },
});
