import type { Failpoint } from "../../runtime/failpoints.ts";
import type { World } from "./database.ts";

/** Fails, or kills the process, at the failpoints of the code; `hits` counts how often at each. */
export function createFailpoints({ scheduler, faults }: World, hits: Map<string, number>): Failpoint {
  const hit = (name: string, kind: string) =>
    hits.set(`${name} ${kind}`, (hits.get(`${name} ${kind}`) ?? 0) + 1);

  async function kill(name: string): Promise<never> {
    hit(name, "kills");
    scheduler.current().die();
    return await new Promise<never>(() => {});
  }

  function failpoint(name: string): Promise<void>;
  function failpoint<T>(name: string, operation: () => Promise<T>): Promise<T>;
  async function failpoint(name: string, operation?: () => Promise<unknown>): Promise<unknown> {
    await scheduler.step(`reaches ${name}`);
    if (faults.strikes("failpoint kills")) return await kill(name);
    if (faults.strikes("failpoint throws")) {
      hit(name, "throws");
      throw new Error(`before ${name}`);
    }
    const answer = await operation?.();
    if (operation && faults.strikes("failpoint throws afterwards")) {
      hit(name, "throws afterwards");
      throw new Error(`after ${name}`);
    }
    return answer;
  }
  return failpoint;
}
