import type { Failpoint } from "../../../runtime/failpoints.ts";

/** A process that dies. */
export class CrashError extends Error {
  override readonly name = "CrashError";
}

/** Where a process dies: at a failpoint, before or after what it guards. */
export type Crash = readonly [place: string, when: "before" | "after"];

/** A failpoint that dies at one place. */
export function failAt(crash: Crash | null): Failpoint {
  const [place, when] = crash ?? [];
  function failpoint(name: string): Promise<void>;
  function failpoint<T>(name: string, operation: () => Promise<T>): Promise<T>;
  async function failpoint(name: string, operation?: () => Promise<unknown>): Promise<unknown> {
    if (name !== place) return await operation?.();
    if (when === "after") await operation?.();
    throw new CrashError(`${when} ${name}`);
  }
  return failpoint;
}

/** Takes turns of the microtask queue, so that operations under way at once overtake each other. */
export function createDelay(delays: readonly number[]): () => Promise<void> {
  let calls = 0;
  return async () => {
    const turns = delays[calls % delays.length] ?? 0;
    calls += 1;
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
  };
}

/** The same object with operations that take a while, before and after they happen. */
export function delayed<Subject extends object>(
  subject: Subject,
  delay: () => Promise<void>,
  names: readonly (keyof Subject & string)[],
): Subject {
  return new Proxy(subject, {
    get(target, name) {
      const operation: unknown = Reflect.get(target, name);
      if (typeof operation !== "function" || !names.some((known) => known === name)) return operation;
      return async (...args: unknown[]) => {
        await delay();
        const answer: unknown = await Reflect.apply(operation, target, args);
        await delay();
        return answer;
      };
    },
  });
}
