/**
 * `test` of every file here: with a server for each set of options, a client beside the page, a stand-in for parts of the
 * interface, and an eye on what the page asks for and what the browser complains of.
 */

import { test as base, expect } from "@playwright/test";

import { Client } from "./client.js";
import { faults } from "./contract.js";
import { answerFromDisk } from "./disk.js";
import { startServer } from "./server.js";
import { StandIn } from "./stand-in.js";

/** What the browser says of a refusal, which is the page's to deal with. */
const REFUSAL = "Failed to load resource";

export const test = base.extend({
  /** Options of the server beside its port. A file that changes them, or `serverName`, has a server of its own. */
  serverOptions: [[], { option: true, scope: "worker" }],

  /** Names the server of files that change what others would see. */
  serverName: ["shared", { option: true, scope: "worker" }],

  /** The server. `MICROLOANS_URL` names one that runs already. */
  server: [
    async ({ serverOptions, serverName: _name }, use) => {
      if (process.env.MICROLOANS_URL) return use({ url: process.env.MICROLOANS_URL.replace(/\/$/, "") });
      // A zone in which no instant reads as it does in UTC.
      const server = await startServer(serverOptions, { BUSINESS_TIME_ZONE: "Asia/Kolkata" });
      await use(server);
      return server.stop();
    },
    { scope: "worker", timeout: 180_000 },
  ],

  /** The interface, to ask and to change what the page shows. */
  client: [({ server }, use) => use(new Client(server.url)), { scope: "worker" }],

  baseURL: ({ server }, use) => use(server.url),

  page: async ({ page }, use) => {
    if (process.env.DESK_FROM_DISK) await page.route("**/desk/assets/**", answerFromDisk);
    await use(page);
  },

  /** Answers in place of the server, once a test has set it up. */
  standIn: async ({ page, server }, use) => {
    const standIn = new StandIn();
    await page.route(`${server.url}/api/**`, (route) => standIn.answer(route));
    await use(standIn);
  },

  /**
   * Every address that the page has asked for. In the end none is of another host, each request is one of openapi.json,
   * and nobody has complained.
   */
  asked: [
    async ({ page, server }, use) => {
      const [asked, complaints] = [[], []];
      const unknown = [];
      page.on("request", (request) => {
        asked.push(request.url());
        if (!request.url().startsWith(`${server.url}/api/`)) return;
        const [method, url, headers, body] = [request.method(), request.url(), request.headers(), request.postData()];
        unknown.push(...faults({ method, url, headers, body }));
      });
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("console", (message) => {
        if (!message.text().startsWith(REFUSAL)) complaints.push(message.text());
      });
      await use(asked);
      // The icons of the browser's own controls are data.
      const elsewhere = (url) => !/^(about|data):/.test(url) && new URL(url).origin !== server.url;
      expect(asked.filter(elsewhere), "asked of other hosts").toEqual([]);
      expect(complaints, "the browser complains").toEqual([]);
      expect(unknown, "requests that openapi.json does not have").toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };
