#!/usr/bin/env node
// Plain JavaScript that every Node understands: it finds a Node that can run the rest, or says what to do.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const needed = 24;
const main = fileURLToPath(new URL("main.ts", import.meta.url));
const bundled = fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url));

if (Number(process.versions.node.split(".")[0]) >= needed) {
  await import(main);
} else if (existsSync(bundled)) {
  runWith(bundled);
} else {
  process.stderr.write(
    `auditflow needs Node ${needed} or later; this is ${process.versions.node} (${process.execPath}).\n` +
      "On Linux x64 and arm64 `npm ci` installs one. On this platform install Node " +
      `${needed} yourself, for example from https://nodejs.org.\n`,
  );
  process.exitCode = 2;
}

/** @param {string} node the path of a Node that is new enough */
function runWith(node) {
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`${node} could not be started: ${error.message}\n`);
    process.exitCode = 2;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 143);
  });
}
