import { foreignAddresses, hosts, login, people, wellKnownAccounts } from "./cast.ts";
import { defineScenario } from "./scenario.ts";

export const passwordSpray = defineScenario({
  name: "password-spray",
  description: "A stranger tries one password for many accounts of one host within two minutes.",
  hostile: true,
  raises: ["AUTH-SPRAY-001"],
  durationMs: 120_000,
  meanSteps: 10,
  play(random) {
    const host = random.pick(hosts);
    const address = random.pick(foreignAddresses);
    const users = random.sample([...people, ...wellKnownAccounts], random.between(8, 12));
    return users.map((user, index) => ({
      atMs: index * 8_000 + random.between(0, 6_000),
      data: login({ user, host, address }, "FAILURE"),
    }));
  },
});
