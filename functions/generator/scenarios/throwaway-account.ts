import { account, hosts, login, officeAddresses, people, sudo } from "./cast.ts";
import { defineScenario } from "./scenario.ts";

export const throwawayAccount = defineScenario({
  name: "throwaway-account",
  description: "Somebody makes an account, uses it once, and removes it within the hour.",
  hostile: true,
  raises: ["ACCT-SHORT-001"],
  durationMs: 1_800_000,
  meanSteps: 6,
  play(random) {
    const user = random.pick(people);
    const host = random.pick(hosts);
    const address = random.pick(officeAddresses);
    const name = `tmp-${random.between(100, 999)}`;
    const used = random.between(60_000, 300_000);
    const removed = used + random.between(300_000, 1_400_000);
    return [
      { atMs: 0, data: login({ user, host, address }, "SUCCESS") },
      { atMs: 10_000, data: sudo(user, host, `useradd --create-home ${name}`) },
      { atMs: 10_500, data: account(user, host, { name, action_result: "CREATED" }) },
      { atMs: used, data: login({ user: name, host, address }, "SUCCESS") },
      { atMs: removed, data: sudo(user, host, `userdel --remove ${name}`) },
      { atMs: removed + 500, data: account(user, host, { name, action_result: "DELETED" }) },
    ];
  },
});
