import { z } from "zod";

/** Hosts that dead letters may be sent to again: names, or endings of names that begin with a dot. */
export const replaySettings = z.object({
  AUDITFLOW_REPLAY_HOSTS: z
    .string()
    .default(".svc.cluster.local,.svc")
    .transform((text) => text.split(",").map((part) => part.trim().toLowerCase()))
    .transform((parts) => parts.filter((part) => part !== ""))
    .refine((parts) => parts.every((part) => /^\.?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(part)), {
      error: "expected names of hosts, or endings such as .svc.cluster.local, separated by commas",
    }),
});
