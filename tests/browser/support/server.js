/** A server of the whole API on a port of its own, with a database of its own: `cargo dev --ephemeral`. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const PROGRAM = process.env.MICROLOANS_SERVER ?? fileURLToPath(new URL("../../../target/debug/dev", import.meta.url));

/** How long it may take to make its database and its demo data. */
const STARTING = 120_000;

/** How many lines of its log are shown where it fails. */
const LINES = 20;

async function freePort() {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  listener.close();
  await once(listener, "close");
  return port;
}

async function answers(url) {
  try {
    return (await fetch(`${url}/health/ready`)).ok;
  } catch {
    return false;
  }
}

/**
 * Starts a server and waits until it can work.
 * @param {string[]} options Further options of the program.
 * @param {Record<string, string>} environment Further variables.
 * @returns {Promise<{url: string, stop: () => Promise<void>}>}
 */
export async function startServer(options, environment) {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not built: \`cargo xtask browser\` builds it`);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const program = spawn(PROGRAM, ["--ephemeral", "--port", String(port), ...options], {
    cwd: fileURLToPath(new URL("../../..", import.meta.url)),
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log = [];
  for (const output of [program.stdout, program.stderr]) {
    output.setEncoding("utf8").on("data", (text) => log.push(text));
  }
  const ended = once(program, "exit");
  const stop = async () => {
    if (program.exitCode === null) program.kill();
    await ended;
  };
  const until = Date.now() + STARTING;
  while (!(await answers(url))) {
    if (program.exitCode !== null || Date.now() > until) {
      await stop();
      throw new Error(`the server does not answer:\n${log.join("").split("\n").slice(-LINES).join("\n")}`);
    }
    await sleep(100);
  }
  return { url, stop };
}
