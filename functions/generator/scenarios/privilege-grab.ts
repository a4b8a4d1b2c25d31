import { account, foreignAddresses, hosts, login, people, sudo } from "./cast.ts";
import { defineScenario } from "./scenario.ts";

export const privilegeGrab = defineScenario({
  name: "privilege-grab",
  description: "A taken-over account makes a new one and gives it every right.",
  hostile: true,
  raises: ["IAM-GROUP-001"],
  durationMs: 90_000,
  meanSteps: 4,
  play(random) {
    const user = random.pick(people);
    const host = random.pick(hosts);
    const name = `svc-${random.between(100, 999)}`;
    const at = random.between(2_000, 15_000);
    return [
      { atMs: 0, data: login({ user, host, address: random.pick(foreignAddresses) }, "SUCCESS") },
      { atMs: at, data: sudo(user, host, `useradd --create-home ${name}`) },
      { atMs: at + 500, data: account(user, host, { name, action_result: "CREATED" }) },
      { atMs: at + random.between(3_000, 60_000), data: sudo(user, host, `usermod -aG sudo ${name}`) },
    ];
  },
});
