import type { MemoryQueues } from "../../events/broker/memory.ts";
import { type Accept, type BrokerDeps, type RunningBroker, startBroker } from "./broker.ts";
import type { Service } from "./network.ts";
import type { Process } from "./scheduler.ts";

/** The broker's process and its queues, which may or may not outlive it. */
export function createBrokerHouse(deps: BrokerDeps, ingress: Service<Accept>) {
  const { scheduler, chance } = deps.world;
  const supervisor = scheduler.spawn("supervisor of the broker");
  let queues: MemoryQueues = new Map();
  let running: RunningBroker | undefined;
  let started = 0;

  function start(): void {
    started += 1;
    const process = scheduler.spawn(`broker-${started}`);
    const broker = process.run(() => startBroker(deps, queues));
    running = broker;
    ingress.replicas.push({ process, handler: broker.accept });
  }

  function replace(process: Process): void {
    process.die();
    start();
  }

  return {
    start,
    disconnect(): void {
      const [replica] = ingress.replicas;
      replica?.process.run(() => running?.disconnect());
    },
    drain(): void {
      const [replica] = ingress.replicas.splice(0);
      if (!replica) return;
      replica.process.run(() => {
        void running?.drain().then(() => supervisor.run(() => replace(replica.process)));
      });
    },
    kill({ keepQueues }: { readonly keepQueues: boolean }): void {
      const [replica] = ingress.replicas.splice(0);
      if (!replica) return;
      replica.process.die();
      replica.process.run(() => running?.abandon());
      running = undefined;
      if (!keepQueues) {
        queues = new Map();
        deps.books.published.clear();
      }
      supervisor.run(() => void scheduler.sleep(chance.between(100, 8000)).then(start));
    },
  };
}
