import { fileModified, hosts, login, officeAddresses, people, sudo } from "./cast.ts";
import { defineScenario } from "./scenario.ts";

const sensitive = ["/etc/shadow", "/etc/passwd", "/etc/sudoers"] as const;

export const sensitiveFileEdit = defineScenario({
  name: "sensitive-file-edit",
  description: "Somebody logs in and edits a file that decides who may enter.",
  hostile: true,
  raises: ["ANLY-SEC-002"],
  durationMs: 60_000,
  meanSteps: 3,
  play(random) {
    const user = random.pick(people);
    const host = random.pick(hosts);
    const file = random.pick(sensitive);
    const at = random.between(5_000, 20_000);
    return [
      { atMs: 0, data: login({ user, host, address: random.pick(officeAddresses) }, "SUCCESS") },
      { atMs: at, data: sudo(user, host, `vim ${file}`) },
      { atMs: at + random.between(3_000, 30_000), data: fileModified(user, host, file) },
    ];
  },
});
