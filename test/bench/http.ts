import { encodeBinary } from "../../events/http.ts";
import { freePort } from "../support/port.ts";
import { rawRequest, sendLoad } from "./load.ts";
import { type Aim, compare, type Report } from "./measure.ts";
import { type MeasuredProcess, startProcess } from "./process.ts";
import { sampleEvent } from "./sample.ts";

const connections = 32;
const requests = 20_000;
const rounds = 7;

interface Server {
  readonly name: string;
  readonly args: readonly string[];
}

const bare: Server = { name: "node:http, JSON.parse, 204", args: ["test/bench/servers/bare.ts"] };
const ours: Server = { name: "serve, a function that does nothing", args: ["test/bench/servers/serve.ts"] };
const framework: Server = {
  name: "functions-framework hello",
  args: [
    "node_modules/.bin/functions-framework",
    "--target=hello",
    "--source=test/bench/servers/framework.ts",
  ],
};

/** Throughput, processor time and memory of a function that does nothing, against a bare server. */
export async function run(): Promise<readonly Report[]> {
  const { headers, body } = encodeBinary(sampleEvent);
  const request = rawRequest(headers, body);
  await using open = new AsyncDisposableStack();
  const servers = new Map<Server, MeasuredProcess>();
  for (const server of [bare, ours, framework]) {
    servers.set(server, open.use(await startProcess(server.args, await freePort())));
  }
  const cpu = new Map<Server, number[]>();
  const rss = new Map<Server, number[]>();
  const load = async (server: Server) => {
    const process = servers.get(server);
    if (!process) throw new Error(`${server.name} does not run`);
    const before = process.cpu();
    const rate = await sendLoad({ port: process.port, connections, requests, request });
    cpu.set(server, [...(cpu.get(server) ?? []), (process.cpu() - before) / requests]);
    rss.set(server, [...(rss.get(server) ?? []), process.rss()]);
    return rate;
  };
  for (const server of servers.keys()) await load(server);
  cpu.clear();
  rss.clear();
  const subjects = (measure: (server: Server) => number | Promise<number>, aim?: Aim) =>
    [...servers.keys()].map((server) => ({
      name: server.name,
      measure: () => measure(server),
      aim: server === ours ? aim : undefined,
    }));
  const replay = (samples: ReadonlyMap<Server, number[]>) => (server: Server) =>
    samples.get(server)?.shift() ?? Number.NaN;
  return [
    await compare(`Requests a second, ${connections} connections`, {
      unit: "req/s",
      rounds,
      subjects: subjects(load, { atLeast: 0.8 }),
    }),
    await compare("Processor time a request", { unit: "µs", rounds, subjects: subjects(replay(cpu)) }),
    await compare("Resident memory under load", {
      unit: "MiB",
      rounds,
      subjects: subjects(replay(rss), { atMost: 1.5 }),
    }),
  ];
}
