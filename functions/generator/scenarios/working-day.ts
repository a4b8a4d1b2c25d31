import { fileModified, hosts, login, officeAddresses, people, sudo } from "./cast.ts";
import { defineScenario, type Step } from "./scenario.ts";

const documents = ["/srv/app/config.yml", "/srv/app/README.md", "/home/shared/notes.txt"] as const;
const commands = ["systemctl reload nginx", "journalctl -u app", "apt-get update", "docker ps"] as const;

export const workingDay = defineScenario({
  name: "working-day",
  description: "Somebody logs in, now and then after a typo, and does ordinary work.",
  hostile: false,
  raises: [],
  durationMs: 600_000,
  meanSteps: 9,
  play(random) {
    const user = random.pick(people);
    const host = random.pick(hosts);
    const from = { user, host, address: random.pick(officeAddresses) };
    const steps: Step[] = [];
    if (random.next() < 0.2) steps.push({ atMs: 0, data: login(from, "FAILURE") });
    steps.push({ atMs: random.between(2_000, 6_000), data: login(from, "SUCCESS") });
    const chores = random.between(4, 10);
    for (let chore = 1; chore <= chores; chore += 1) {
      const atMs = random.between(chore * 45_000, chore * 45_000 + 40_000);
      const data =
        random.next() < 0.5
          ? sudo(user, host, random.pick(commands))
          : fileModified(user, host, random.pick(documents));
      steps.push({ atMs, data });
    }
    return steps;
  },
});
