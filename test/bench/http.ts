import { encodeBinary } from "../../events/http.ts";
import { freePort } from "../support/port.ts";
import { rawRequest, sendLoad } from "./load.ts";
import { type Aim, type Measured, type Report, toReport } from "./measure.ts";
import { type MeasuredProcess, startProcess } from "./process.ts";
import { sampleEvent } from "./sample.ts";

const connections = 32;
const requests = 20_000;
const rounds = 9;
/** The first load compiles and fills caches; what counts is how a server runs, not how it begins. */
const warmUpRounds = 2;
const requestsOfOne = 3000;

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
const servers = [bare, ours, framework];

/** Per server, one sample a round. */
type Samples = Map<Server, number[]>;

/** Throughput, processor time and memory of a function that does nothing, against a bare server. */
export async function run(): Promise<readonly Report[]> {
  const { headers, body } = encodeBinary(sampleEvent);
  const request = rawRequest(headers, body);
  await using open = new AsyncDisposableStack();
  const running: (readonly [Server, MeasuredProcess])[] = [];
  for (const server of servers) {
    running.push([server, open.use(await startProcess(server.args, await freePort()))]);
  }
  const [many, one, cpu, rss] = [empty(), empty(), empty(), empty()];
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    for (const [server, { port, cpu: cpuUsed, rss: rssNow }] of running) {
      const before = cpuUsed();
      const rate = await sendLoad({ port, connections, requests, request });
      const cost = (cpuUsed() - before) / requests;
      const memory = rssNow();
      const rateOfOne = await sendLoad({ port, connections: 1, requests: requestsOfOne, request });
      if (round < 0) continue;
      many.get(server)?.push(rate);
      cpu.get(server)?.push(cost);
      rss.get(server)?.push(memory);
      one.get(server)?.push(rateOfOne);
    }
  }
  return [
    toReport(`Requests a second, ${connections} connections`, "req/s", rowsOf(many, { atLeast: 0.8 })),
    toReport("Requests a second, one connection", "req/s", rowsOf(one)),
    toReport("Processor time a request", "µs", rowsOf(cpu)),
    toReport("Resident memory under load", "MiB", rowsOf(rss, { atMost: 1.5 })),
  ];
}

function empty(): Samples {
  return new Map(servers.map((server) => [server, []]));
}

function rowsOf(samples: Samples, aim?: Aim): readonly Measured[] {
  return servers.map((server) => ({
    name: server.name,
    samples: samples.get(server) ?? [],
    aim: server === ours ? aim : undefined,
  }));
}
