import { createLog } from "../../../runtime/log.ts";
import { openPostgres } from "../../../runtime/postgres/postgres.ts";
import { createFlusher } from "./flusher.ts";
import { routesOf } from "./routing.testing.ts";

/** A process of its own that flushes and is killed at a failpoint: `<url> <failpoint> <routes>`. */
const [, , url = "", failpoint = "", routes = ""] = process.argv;
const log = createLog({ name: "dying", level: "silent" });
const postgres = await openPostgres({ url, name: "dying", log });
const inForce = routesOf(routes);
const flusher = createFlusher({
  postgres,
  routes: () => inForce,
  silences: async () => [],
  failpoint: async (name: string) => {
    if (name === failpoint) process.kill(process.pid, "SIGKILL");
  },
});
await flusher.run();
