import { foreignAddresses, hosts, login, people } from "./cast.ts";
import { defineScenario } from "./scenario.ts";

export const slowSpray = defineScenario({
  name: "slow-spray",
  description: "A stranger tries one account after another, minutes apart, to stay below any short window.",
  hostile: true,
  raises: ["AUTH-SPRAY-002"],
  durationMs: 1_800_000,
  meanSteps: 8,
  play(random) {
    const address = random.pick(foreignAddresses);
    return random.sample(people, 8).map((user, index) => ({
      atMs: index * 210_000 + random.between(0, 90_000),
      data: login({ user, host: random.pick(hosts), address }, "FAILURE"),
    }));
  },
});
