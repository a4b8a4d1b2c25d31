import { Redis } from "ioredis";

import { readManifests } from "../../events/broker/manifests.ts";
import { profiles } from "../../events/broker/profile.ts";
import { deleteTopology } from "../../events/broker/rabbitmq.ts";
import { planWiring } from "../../events/broker/topology.ts";

/** Deletes the exchanges and queues that a pipeline with this prefix declared. */
export async function dropBrokerObjects(amqpUrl: string, prefix: string): Promise<void> {
  const wiring = planWiring(await readManifests("knative/base"), {
    profile: profiles["knative-rabbitmq"],
    prefix,
  });
  await deleteTopology(amqpUrl, wiring.topology);
}

/** Deletes every Redis key that begins with the prefix. */
export async function dropKeys(redisUrl: string, prefix: string): Promise<void> {
  const redis = new Redis(redisUrl);
  try {
    for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 500 })) {
      if (Array.isArray(keys) && keys.length > 0) await redis.unlink(keys.map(String));
    }
  } finally {
    redis.disconnect();
  }
}
