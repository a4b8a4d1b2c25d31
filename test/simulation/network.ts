import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import type { Process, Scheduler } from "./scheduler.ts";

/** Interchangeable replicas behind one name. */
export interface Service<Handler> {
  readonly name: string;
  readonly replicas: Replica<Handler>[];
}

export interface Replica<Handler> {
  readonly process: Process;
  readonly handler: Handler;
}

export interface Call<Handler, Answer> {
  readonly to: Service<Handler>;
  readonly label: string;
  readonly use: (handler: Handler) => Promise<Answer>;
  /** 0 is for ever. */
  readonly timeoutMs: number;
}

/** Calls a service; rejects when there is no answer, whatever the service did meanwhile. */
export type Network = <Handler, Answer>(call: Call<Handler, Answer>) => Promise<Answer>;

export interface NetworkDeps {
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly faults: Faults;
}

/**
 * The network between processes: it delays, repeats and loses requests, and loses answers to requests that
 * were carried out.
 */
export function createNetwork({ scheduler, chance, faults }: NetworkDeps): Network {
  const wire = scheduler.spawn("network");

  async function travel(label: string): Promise<void> {
    if (faults.strikes("request delayed")) await scheduler.sleep(chance.between(1, 4000));
    await scheduler.step(label);
  }

  /** What is lost is noticed at once, or never: then the caller's deadline has to. */
  async function lose(): Promise<never> {
    if (faults.strikes("connection reset")) throw new Error("The connection was reset.");
    return await new Promise<never>(() => {});
  }

  async function arrive<Handler, Answer>({ to, label, use }: Call<Handler, Answer>): Promise<Answer> {
    const alive = to.replicas.filter(({ process }) => process.isAlive());
    if (alive.length === 0) throw new Error(`Nobody listens at ${to.name}.`);
    const { process, handler } = chance.pick(alive);
    await scheduler.step(`${label} arrives at ${process.name}`);
    return await new Promise((resolve, reject) => {
      if (!process.isAlive()) return reject(new Error(`${process.name} is gone.`));
      const forget = process.onDeath(() => reject(new Error(`${process.name} died.`)));
      const answered = process.run(() => use(handler));
      void answered.then(resolve, reject).finally(forget);
    });
  }

  async function transmit<Handler, Answer>(call: Call<Handler, Answer>): Promise<Answer> {
    await travel(`${call.label} request`);
    if (faults.strikes("request lost")) return await lose();
    if (faults.strikes("request repeated")) void repeat(call);
    const answer = await arrive(call);
    if (faults.strikes("answer lost")) return await lose();
    if (faults.strikes("answered after the deadline")) await scheduler.sleep(call.timeoutMs + 1000);
    await travel(`${call.label} answer`);
    return answer;
  }

  async function repeat<Handler, Answer>(call: Call<Handler, Answer>): Promise<void> {
    await scheduler.sleep(chance.between(0, 3000));
    await arrive(call).catch(() => undefined);
  }

  return async <Handler, Answer>(call: Call<Handler, Answer>): Promise<Answer> => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const give = () => reject(new Error(`${call.to.name} did not answer in time.`));
    const cancel = call.timeoutMs > 0 ? scheduler.after(call.timeoutMs, "deadline", give) : () => {};
    wire.run(() => void transmit(call).then(resolve, reject));
    try {
      return await promise;
    } finally {
      cancel();
      // Whoever died meanwhile does not go on from here.
      await scheduler.step(`${call.label} is answered`);
    }
  };
}
