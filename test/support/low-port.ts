import { createServer } from "node:net";

/** Below the range from which connections get their own port, so that whoever restarts finds it free. */
const lowest = 25_500;
const count = 7000;

/** A port that is free, and that is free again after its owner was killed. */
export async function lowPort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * count);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
