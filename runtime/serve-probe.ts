import type { IncomingMessage, ServerResponse } from "node:http";

import { readBody, type ReceivedBody } from "./body.ts";
import type { Probe, ProbeAnswer } from "./probes.ts";
import { type Problem, wrongMethod } from "./problem.ts";
import { refuseBody, sendProblem } from "./routes.ts";

/** Makes the handler of one of the runtime's own paths. */
export function createProbeHandler(probe: Probe) {
  return async (
    request: IncomingMessage,
    response: ServerResponse,
    received?: ReceivedBody,
  ): Promise<void> => {
    const method = request.method === "HEAD" ? "GET" : request.method;
    const run = method === "GET" || method === "PUT" ? probe[method] : undefined;
    if (!run) return sendProblem(response, wrongMethod(request.method ?? "", Object.keys(probe)));
    const body = received ?? (await readBody(request, 0));
    const answer = refuseBody(request, body.truncated) ?? (await run(body.bytes));
    if (isProblem(answer)) sendProblem(response, answer);
    else send(response, answer);
  };
}

function send(response: ServerResponse, { status, contentType, body }: ProbeAnswer): void {
  response.writeHead(status, {
    "content-type": contentType,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
  });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

function isProblem(answer: ProbeAnswer | Problem): answer is Problem {
  return "detail" in answer;
}
