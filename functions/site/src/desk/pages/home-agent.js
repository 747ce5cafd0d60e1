/** An agent's first page: today's collections, then the own requests. */
import { date, today } from "../format.js";
import { Heading, Section } from "../layout.js";
import { html } from "../ui.js";
import { t } from "../words.js";
import { Requests } from "./requests.js";
import { RouteList } from "./route.js";

export default function Home({ user }) {
  const more = (href, text) => html`<a href=${href}>${text}</a>`;
  return html`<${Heading} text=${t.home.title} over=${date(today())}>
      <a class="button primary" href="/desk/apply">${t.nav.newApplication}</a>
    <//>
    <${Section} title=${t.home.today} actions=${more("/desk/collections", t.home.toCollections)}>
      <${RouteList} user=${user} on=${today()} />
    <//>
    <${Section} title=${t.nav.requests} actions=${more("/desk/requests", t.home.toRequests)}>
      <${Requests} rows=${5} />
    <//>`;
}
