/** Answers requests of a page in place of the server: with a made-up book, a refusal, or not at all. */
export class StandIn {
  /** The book that answers; `null` leaves it to the server. */
  book = null;

  /** Paths that are refused with status 503, each with its problem. */
  refused = {};

  /** Whether nothing has an answer. */
  offline = false;

  answer(route) {
    if (this.offline) return route.abort("internetdisconnected");
    const request = route.request();
    const { pathname, searchParams } = new URL(request.url());
    if (pathname in this.refused) {
      return route.fulfill({ status: 503, headers: { "Retry-After": "1" }, json: this.refused[pathname] });
    }
    const json = request.method() === "GET" ? this.book?.answer(pathname, searchParams) : undefined;
    return json === undefined ? route.continue() : route.fulfill({ json });
  }
}
