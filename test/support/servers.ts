import { createConnection } from "node:net";

/** A real server a test may need: where it is, or why it cannot be used. */
export interface TestServer {
  readonly url: string;
  readonly reachable: boolean;
  /** For `describe.skipIf(!server.reachable)`: the reason, printed once. */
  readonly reason: string;
}

const required = process.env["AUDITFLOW_TEST_SERVERS"] === "required";

/** RabbitMQ for tests: `AUDITFLOW_TEST_AMQP_URL`, else the standard port of this machine. */
export const rabbitmq = await probe("RabbitMQ", "AUDITFLOW_TEST_AMQP_URL", "amqp://127.0.0.1:5672");

/** Redis for tests: `AUDITFLOW_TEST_REDIS_URL`, else the standard port of this machine. */
export const redis = await probe("Redis", "AUDITFLOW_TEST_REDIS_URL", "redis://127.0.0.1:6379");

/** Looks for a server at the address in a variable, else at its standard one. */
export async function probe(name: string, variable: string, standard: string): Promise<TestServer> {
  const url = process.env[variable] ?? standard;
  const { hostname, port } = new URL(url);
  const reachable = await canConnect(hostname, Number(port));
  const reason = `${name} is not reachable at ${hostname}:${port} (set ${variable})`;
  if (!reachable && required) throw new Error(`${reason}, and AUDITFLOW_TEST_SERVERS=required.`);
  if (!reachable) process.stderr.write(`skipped: ${reason}\n`);
  return { url, reachable, reason };
}

function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout: 2000 });
    const settle = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", settle(true)).once("error", settle(false)).once("timeout", settle(false));
  });
}
