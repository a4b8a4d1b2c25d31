import { Cron } from "croner";

import type { Log } from "../../runtime/log.ts";

/** One PingSource of the cluster, driven by a clock of our own. */
export interface Schedule {
  readonly name: string;
  /** With seconds, as croner reads it. */
  readonly pattern: string;
  readonly url: () => string | undefined;
}

/** POSTs to each URL when its time comes; a run that is still going on is not started twice. */
export function startSchedules(schedules: readonly Schedule[], log: Log): AsyncDisposable {
  const running = new Set<Promise<unknown>>();
  const jobs = schedules.map(
    ({ name, pattern, url }) =>
      new Cron(pattern, { name: `auditflow-${name}-${crypto.randomUUID()}`, protect: true }, async () => {
        const target = url();
        if (!target) return;
        const run = fetch(target, { method: "POST", signal: AbortSignal.timeout(60_000) }).then(
          (response) => response.body?.cancel(),
          (error: unknown) =>
            log.debug({ err: error, schedule: name }, "a scheduled call failed; the next one comes"),
        );
        running.add(run);
        await run.finally(() => running.delete(run));
      }),
  );
  return {
    async [Symbol.asyncDispose]() {
      for (const job of jobs) job.stop();
      await Promise.allSettled(running);
    },
  };
}
