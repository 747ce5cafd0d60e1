/** The desk: shows the page that the address names to whoever is logged in. */
import { Heading, Shell } from "./layout.js";
import { Grey, useModule } from "./load.js";
import { followLinks, match, place, useStore } from "./router.js";
import { session } from "./session.js";
import { html, render } from "./ui.js";
import { t } from "./words.js";

const STAFF = ["agent", "admin"];
const ADMIN = ["admin"];
const ALL = ["customer", "agent", "admin"];

/** Pages: the roles that have them, and their module. */
const page = (roles, load) => ({ roles, load });
const newProduct = page(ADMIN, () => import("./pages/product-form.js"));
const calendar = page(ADMIN, () => import("./pages/calendar.js"));
const loan = page(ALL, () => import("./pages/loan.js"));

/** The table of contents. */
const ROUTES = [
  ["/desk", page(ADMIN, () => import("./pages/home-admin.js"))],
  ["/desk", page(["agent"], () => import("./pages/home-agent.js"))],
  ["/desk", page(["customer"], () => import("./pages/home-customer.js"))],
  ["/desk/profile", page(ALL, () => import("./pages/profile.js"))],
  ["/desk/applications", page(ADMIN, () => import("./pages/applications.js"))],
  ["/desk/loans", page(STAFF, () => import("./pages/loans.js"))],
  ["/desk/loans/{id}", loan],
  ["/desk/loans/{id}/{tab}", loan],
  ["/desk/receipts/{loan}/{transaction}", page(ALL, () => import("./pages/receipt.js"))],
  ["/desk/collections", page(STAFF, () => import("./pages/collections.js"))],
  ["/desk/queue", page(["agent"], () => import("./pages/queue.js"))],
  ["/desk/taken/{key}", page(["agent"], () => import("./pages/taken.js"))],
  ["/desk/requests", page(["agent"], () => import("./pages/requests.js"))],
  ["/desk/apply", page(["agent", "customer"], () => import("./pages/apply.js"))],
  ["/desk/products", page(ALL, () => import("./pages/products.js"))],
  ["/desk/products/new", newProduct],
  ["/desk/products/{code}", page(ALL, () => import("./pages/product.js"))],
  ["/desk/products/{code}/edit", newProduct],
  ["/desk/calendars", page(ADMIN, () => import("./pages/calendars.js"))],
  ["/desk/calendars/new", calendar],
  ["/desk/calendars/{code}", calendar],
  ["/desk/portfolio", page(STAFF, () => import("./pages/portfolio.js"))],
  ["/desk/agents", page(ADMIN, () => import("./pages/agents.js"))],
  ["/desk/agents/{id}", page(ADMIN, () => import("./pages/agent.js"))],
  ["/desk/users", page(ADMIN, () => import("./pages/users.js"))],
  ["/desk/users/{id}", page(ADMIN, () => import("./pages/user.js"))],
  ["/desk/customers", page(STAFF, () => import("./pages/customers.js"))],
  ["/desk/customers/new", page(STAFF, () => import("./pages/enrol.js"))],
  ["/desk/customers/{id}", page(STAFF, () => import("./pages/customer.js"))],
  ["/desk/payments", page(STAFF, () => import("./pages/payments.js"))],
  ["/desk/payments/{id}", page(STAFF, () => import("./pages/payment.js"))],
  ["/desk/sources", page(ADMIN, () => import("./pages/sources.js"))],
  ["/desk/sources/{code}", page(ADMIN, () => import("./pages/source.js"))],
  ["/desk/ledger", page(ADMIN, () => import("./pages/ledger.js"))],
  ["/desk/audit", page(ADMIN, () => import("./pages/audit.js"))],
];

/** The pages without a session. */
const PUBLIC = [
  ["/desk/register", page(null, () => import("./pages/register.js"))],
  ["/desk/activate", page(null, () => import("./pages/activate.js"))],
];
const LOGIN = page(null, () => import("./pages/login.js"));

function View({ route, path, user }) {
  const { Part: Page, failed } = useModule(route.load);
  if (failed) {
    return html`<${Heading} text=${t.missing.module} />
      <p>${t.missing.moduleAbout}</p>
      <button type="button" class="primary" onClick=${() => location.reload()}>${t.missing.reload}</button>`;
  }
  if (!Page) return html`<${Grey} lines=${6} />`;
  return html`<${Page} path=${path} user=${user} />`;
}

function Missing() {
  return html`<${Heading} text=${t.missing.title} />
    <p>${t.missing.about} <a href="/desk">${t.missing.home}</a></p>`;
}

function App() {
  const now = useStore(session);
  const { path } = useStore(place);
  if (!now) {
    const found = match(PUBLIC, path);
    return html`<${View} key=${path} route=${found?.route ?? LOGIN} path=${found?.path ?? {}} />`;
  }
  const { user } = now;
  const found = match(ROUTES.filter(([, { roles }]) => roles.includes(user.role)), path);
  const identity = found && `${user.id} ${Object.values({ ...found.path, tab: "" }).join(" ")} ${ROUTES.findIndex(([, route]) => route === found.route)}`;
  return html`<${Shell} user=${user} key=${user.id}>
    ${found ? html`<${View} key=${identity} route=${found.route} path=${found.path} user=${user} />` : html`<${Missing} key=${path} />`}
  <//>`;
}

followLinks();
render(html`<${App} />`, document.getElementById("desk"));
