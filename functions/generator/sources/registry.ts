import { auditd } from "./auditd.ts";
import { azureActivity } from "./azure-activity.ts";
import { cloudtrail } from "./cloudtrail.ts";
import { falco } from "./falco.ts";
import { gcp } from "./gcp.ts";
import { github } from "./github.ts";
import { kubernetes } from "./kubernetes.ts";
import { okta } from "./okta.ts";
import type { Source } from "./source.ts";
import { sshd } from "./sshd.ts";
import { webAccess } from "./web-access.ts";

/** Every foreign log the generator understands. The most specific marks come first: see `recogniseSource`. */
export const sources: readonly Source[] = [
  kubernetes,
  cloudtrail,
  okta,
  gcp,
  azureActivity,
  falco,
  github,
  sshd,
  auditd,
  webAccess,
];

/** The source whose marks the record bears, if any. */
export function recogniseSource(record: unknown): Source | undefined {
  return sources.find((source) => source.recognises(record));
}
