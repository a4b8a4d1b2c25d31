import { foreignAddresses, hosts, login, people, sudo } from "./cast.ts";
import { defineScenario } from "./scenario.ts";

export const privilegeGrab = defineScenario({
  name: "privilege-grab",
  description: "A taken-over account makes a new one and gives it every right.",
  hostile: true,
  durationMs: 90_000,
  meanSteps: 4,
  play(random) {
    const user = random.pick(people);
    const host = random.pick(hosts);
    const account = `svc-${random.between(100, 999)}`;
    const at = random.between(2_000, 15_000);
    return [
      { atMs: 0, data: login({ user, host, address: random.pick(foreignAddresses) }, "SUCCESS") },
      { atMs: at, data: sudo(user, host, `useradd --create-home ${account}`) },
      {
        atMs: at + 500,
        data: {
          source_service: "useradd",
          server_hostname: host,
          event_type: "user_account_management",
          severity: "INFO",
          user_id: user,
          action_result: "CREATED",
          details: { resource: account, home_directory: `/home/${account}` },
        },
      },
      { atMs: at + random.between(3_000, 60_000), data: sudo(user, host, `usermod -aG sudo ${account}`) },
    ];
  },
});
