/**
 * Where the Knative RabbitMQ Broker departs from the Knative Eventing specification, and the local
 * broker can be told to follow either. Functions must be correct under both.
 */
export interface Profile {
  /** A status that is neither 2xx nor retriable: acknowledged, or undeliverable at once. */
  readonly refusal: "success" | "failure";
  /** Whether an event in a `202` answer is a reply. */
  readonly replyOn202: boolean;
  /** Whether requests say `Prefer: reply`. */
  readonly preferReply: boolean;
  /** Whether an empty filter value admits any present value, or only the empty string. */
  readonly emptyFilterAdmitsAny: boolean;
  /** A reply that cannot be stored: the delivery is dead-lettered with code 200, or made again. */
  readonly replyFailure: "dead-letter" | "redeliver";
}

export type ProfileName = "knative-rabbitmq" | "strict";

export const profiles: Readonly<Record<ProfileName, Profile>> = {
  "knative-rabbitmq": {
    refusal: "success",
    replyOn202: true,
    preferReply: false,
    emptyFilterAdmitsAny: false,
    replyFailure: "dead-letter",
  },
  strict: {
    refusal: "failure",
    replyOn202: false,
    preferReply: true,
    emptyFilterAdmitsAny: true,
    replyFailure: "redeliver",
  },
};
