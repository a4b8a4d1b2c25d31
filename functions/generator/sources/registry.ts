import { cloudtrail } from "./cloudtrail.ts";
import { github } from "./github.ts";
import { kubernetes } from "./kubernetes.ts";
import type { Source } from "./source.ts";
import { sshd } from "./sshd.ts";

/** Every foreign log the generator understands. The most specific marks come first: see `recogniseSource`. */
export const sources: readonly Source[] = [kubernetes, cloudtrail, github, sshd];

/** The source whose marks the record bears, if any. */
export function recogniseSource(record: unknown): Source | undefined {
  return sources.find((source) => source.recognises(record));
}
