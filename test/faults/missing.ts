import { redisServerInstalled } from "../support/redis-server.ts";
import { rabbitmqServerMissing } from "../support/rabbitmq-server.ts";

const redisServerMissing = redisServerInstalled ? undefined : "redis-server is not installed";

if (redisServerMissing !== undefined) {
  if (process.env["AUDITFLOW_TEST_SERVERS"] === "required") throw new Error(redisServerMissing);
  process.stderr.write(`skipped: ${redisServerMissing}\n`);
}

/** Why no fault test can run here, if so: for `describe.skipIf(faultServersMissing)`. */
export const faultServersMissing: string | undefined = rabbitmqServerMissing ?? redisServerMissing;
