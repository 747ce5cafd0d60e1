/** The desk's files from this checkout in place of the server's, to write pages without a build: `DESK_FROM_DISK=1`. */

import { readFile } from "node:fs/promises";

const DESK = new URL("../../../functions/site/src/desk/", import.meta.url);

const TYPES = { js: "text/javascript", mjs: "text/javascript", css: "text/css", svg: "image/svg+xml" };

/** Answers a request for a file of the desk. */
export async function answerFromDisk(route) {
  const [, name] = new URL(route.request().url()).pathname.match(/^\/desk\/assets\/[^/]+\/(.+)$/);
  const text = await readFile(new URL(name, DESK), "utf8");
  const contentType = TYPES[name.split(".").at(-1)] ?? "text/plain";
  return route.fulfill({ contentType, body: text.replace('from"preact"', 'from"./preact.mjs"') });
}
