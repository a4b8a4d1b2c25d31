import { brokerConformance } from "./broker.conformance.ts";
import { openMemoryBroker, type MemoryBroker, type MemoryQueues } from "./memory.ts";

brokerConformance("memory", async () => {
  const queues: MemoryQueues = new Map();
  const brokers = new Set<MemoryBroker>();
  return {
    open: async (topology) => {
      const broker = openMemoryBroker(topology, queues);
      brokers.add(broker);
      return broker;
    },
    disconnect: () => brokers.forEach((broker) => broker.disconnect()),
    deleteExchange: async (exchange) => brokers.forEach((broker) => broker.deleteExchange(exchange)),
    [Symbol.asyncDispose]: async () => {},
  };
});
