import type { World } from "./database.ts";
import type { Service } from "./network.ts";

/** Replicas of one function, each started again some time after it died. */
export interface Fleet<Handler> {
  readonly service: Service<Handler>;
  /** Kills one replica. */
  killOne(): void;
  /** Kills all, and keeps them away for so long. */
  takeAway(ms: number): void;
  /** Whoever is away comes back soon. */
  bringBack(): void;
}

export interface FleetOptions<Handler> {
  readonly name: string;
  readonly replicas: number;
  readonly start: () => Handler;
}

export function createFleet<Handler>(
  { scheduler, chance }: World,
  { name, replicas, start }: FleetOptions<Handler>,
): Fleet<Handler> {
  const service: Service<Handler> = { name, replicas: [] };
  const supervisor = scheduler.spawn(`supervisor of ${name}`);
  let started = 0;
  let awayUntil = 0;

  function launch(): void {
    started += 1;
    const process = scheduler.spawn(`${name}-${started}`);
    const replica = { process, handler: process.run(start) };
    service.replicas.push(replica);
    process.onDeath(() => {
      service.replicas.splice(service.replicas.indexOf(replica), 1);
      supervisor.run(() => void relaunch());
    });
  }

  async function relaunch(): Promise<void> {
    await scheduler.sleep(chance.between(100, 5000));
    while (scheduler.now() < awayUntil) await scheduler.sleep(1000);
    launch();
  }

  for (let index = 0; index < replicas; index += 1) launch();
  return {
    service,
    killOne() {
      if (service.replicas.length > 0) chance.pick(service.replicas).process.die();
    },
    takeAway(ms) {
      awayUntil = scheduler.now() + ms;
      // Each leaves the list as it dies.
      while (service.replicas[0]) service.replicas[0].process.die();
    },
    bringBack() {
      awayUntil = 0;
    },
  };
}
