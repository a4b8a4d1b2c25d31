import type { BrokerObserver, Message } from "../../events/broker/broker.ts";
import type { Log } from "../../runtime/log.ts";
import type { Metrics } from "../../runtime/metrics.ts";

/** Counts what the local broker does and says what somebody should know. */
export function createObserver({
  log,
  metrics,
}: {
  readonly log: Log;
  readonly metrics: Metrics;
}): BrokerObserver {
  return {
    onPublished(outcome, message, reason) {
      metrics.brokerPublished.inc({ outcome });
      if (outcome === "refused" || outcome === "failed")
        log.warn({ outcome, err: reason, ...identity(message) }, "an event was not taken");
    },
    onDelivered({ trigger, outcome, status, attempt, message }) {
      metrics.brokerDelivered.inc({ trigger, outcome });
      if (outcome === "delivered") return;
      const level = outcome === "retried" ? "info" : "warn";
      log[level]({ trigger, outcome, status, attempt, ...identity(message) }, "a delivery did not succeed");
    },
    onLoop(trigger, reply) {
      metrics.brokerLoops.inc({ trigger });
      log.error(
        { trigger, ...identity(reply) },
        "a reply matches the Trigger it answers and will come round again",
      );
    },
    onReplyIgnored: (trigger, reason) =>
      log.warn({ trigger, reason }, "an answer was no event and was ignored"),
    onConnection(connection, up, reason) {
      if (up) log.info({ connection }, "connected to RabbitMQ");
      else log.warn({ connection, err: reason }, "the connection to RabbitMQ was lost; trying again");
    },
  };
}

function identity(message: Message | undefined) {
  return { id: message?.headers["id"], type: message?.headers["type"] };
}
