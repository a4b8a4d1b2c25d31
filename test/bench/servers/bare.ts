import { createServer } from "node:http";

/** The least a server can do that reads the same event: collect the body, parse it, answer 204. */
createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    JSON.parse(Buffer.concat(chunks).toString());
    response.writeHead(204).end();
  });
}).listen(Number(process.env["PORT"]), "127.0.0.1");
