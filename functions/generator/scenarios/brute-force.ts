import { foreignAddresses, hosts, login, wellKnownAccounts } from "./cast.ts";
import { defineScenario } from "./scenario.ts";

export const bruteForce = defineScenario({
  name: "brute-force",
  description: "A stranger tries many passwords for one account of one host within a minute.",
  hostile: true,
  raises: ["ANLY-SEC-001"],
  durationMs: 60_000,
  meanSteps: 10,
  play(random) {
    const attempt = {
      user: random.pick(wellKnownAccounts),
      host: random.pick(hosts),
      address: random.pick(foreignAddresses),
    };
    return Array.from({ length: random.between(8, 12) }, (_, index) => ({
      atMs: index * 2_000 + random.between(0, 1_500),
      data: login(attempt, "FAILURE"),
    }));
  },
});
