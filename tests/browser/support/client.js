/** The interface as another client sees it, beside the page. */

import { expect } from "@playwright/test";

/** The password of the users of the demo data. */
export const PASSWORD = "microloans-demo";

export class Client {
  constructor(url) {
    this.url = url;
    this.tokens = new Map();
  }

  /**
   * Sends a request.
   * @param {string} method
   * @param {string} path
   * @param {{as?: string, token?: string, body?: object, headers?: Record<string, string>}} options `as` is a user of
   *   the demo data.
   * @returns {Promise<{status: number, body: any}>}
   */
  async call(method, path, { as, token, body, headers = {} } = {}) {
    const all = { ...headers };
    const bearer = token ?? (as && (await this.token(as)));
    if (bearer) all.Authorization = `Bearer ${bearer}`;
    if (body) all["Content-Type"] = "application/json";
    const answer = await fetch(this.url + path, { method, headers: all, body: body && JSON.stringify(body) });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : null };
  }

  /** As {@link call}, for a request that succeeds. Gives the body. */
  async done(method, path, options) {
    const { status, body } = await this.call(method, path, options);
    expect(status, `${method} ${path}: ${JSON.stringify(body)}`).toBeLessThan(300);
    return body;
  }

  /** What a GET answers. */
  get(path, as) {
    return this.done("GET", path, { as });
  }

  /** The token of a user, who logs in once. */
  async token(username) {
    if (!this.tokens.has(username)) {
      const body = { username, password: PASSWORD };
      this.tokens.set(username, (await this.done("POST", "/api/auth/login", { body })).access_token);
    }
    return this.tokens.get(username);
  }

  /** A loan in KES of the demo data's customer and agent, paid out so many days ago. */
  async runningLoan(amount, daysAgo) {
    const body = { borrower_id: "customer", amount, currency: "KES", instalments: 6 };
    const made = await this.done("POST", "/api/loans", { as: "agent", body });
    const path = `/api/loans/${made.id}`;
    await this.done("POST", `${path}/approve`, { as: "admin", body: {}, headers: { "If-Match": `"${made.version}"` } });
    const disbursed_on = new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);
    const headers = { "Idempotency-Key": `pay-out-${made.id}` };
    await this.done("POST", `${path}/disbursements`, { as: "admin", body: { disbursed_on }, headers });
    return made;
  }

  registerAgent(username, fullName) {
    const body = {
      username,
      password: "correct horse battery",
      email: `${username}@example.com`,
      phone: "+254700000009",
      role: "agent",
      full_name: fullName,
    };
    return this.done("POST", "/api/auth/register", { body });
  }
}
