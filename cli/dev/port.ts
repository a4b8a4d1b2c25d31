import { createServer } from "node:net";
import { once } from "node:events";

import { CliError, exitCode } from "../exit-code.ts";

const standardPort = 8484;
const tries = 20;

/**
 * The port to listen on: the one asked for, which must be free, else the first free one from the
 * standard port on. 0 leaves the choice to the system.
 */
export async function choosePort(
  asked: number | undefined,
  host: string,
): Promise<{ readonly port: number; readonly note?: string }> {
  if (asked === 0) return { port: 0 };
  if (asked !== undefined) {
    if (await isFree(asked, host)) return { port: asked };
    throw new CliError(
      `Port ${asked} is in use. Choose another with --port, or leave it out for the next free one.`,
      exitCode.usage,
    );
  }
  for (let port = standardPort; port < standardPort + tries; port += 1) {
    if (!(await isFree(port, host))) continue;
    return port === standardPort
      ? { port }
      : { port, note: `Port ${standardPort} is in use; using ${port}. Pin one with --port.` };
  }
  throw new CliError(
    `Ports ${standardPort} to ${standardPort + tries - 1} are in use. Choose one with --port.`,
    exitCode.usage,
  );
}

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ port, host, exclusive: true });
    await once(server, "listening");
    server.close();
    await once(server, "close");
    return true;
  } catch {
    return false;
  }
}
