import { fileModified, foreignAddresses, hosts, login, people, sudo } from "./cast.ts";
import { defineScenario } from "./scenario.ts";

const wipes = [
  "rm -f /var/log/auth.log",
  "truncate -s 0 /var/log/syslog",
  "journalctl --vacuum-time=1s",
] as const;

export const coverTracks = defineScenario({
  name: "cover-tracks",
  description:
    "A taken-over account turns auditing off, does something, and removes what was written before.",
  hostile: true,
  raises: ["HOST-AUDIT-001", "HOST-LOGWIPE-001"],
  durationMs: 120_000,
  meanSteps: 4,
  play(random) {
    const user = random.pick(people);
    const host = random.pick(hosts);
    const at = random.between(2_000, 15_000);
    return [
      { atMs: 0, data: login({ user, host, address: random.pick(foreignAddresses) }, "SUCCESS") },
      { atMs: at, data: sudo(user, host, "auditctl -e 0") },
      { atMs: at + random.between(5_000, 30_000), data: fileModified(user, host, "/srv/app/config.yml") },
      { atMs: at + random.between(40_000, 90_000), data: sudo(user, host, random.pick(wipes)) },
    ];
  },
});
