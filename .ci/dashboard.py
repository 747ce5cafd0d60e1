"""The checks of .ci/dashboard: dashboard.py BASE_URL WORK_FOLDER [PICTURE_FOLDER].

First against what the server answers. Then with an empty book in place of the server's, and with a large one that is
made up.
"""

import base64
import datetime
import decimal
import json
import pathlib
import re
import sys
import urllib.error
import urllib.request
import zoneinfo
from urllib.parse import parse_qsl, urlencode, urlsplit

from devtools import Page

BASE_URL, WORK = sys.argv[1], pathlib.Path(sys.argv[2])
PICTURES = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 and sys.argv[3] else None
PASSWORD = "microloans-demo"
# A wide screen, one where tables are barely tables, a tablet's, a phone's, the narrowest phone's.
SCREENS = [
    (1440, "light"), (1440, "dark"), (970, "light"), (760, "light"), (390, "light"), (390, "dark"), (360, "light")]
MARKUP = "<img src=x onerror=\"document.title='owned'\">"


# ----------------------------------------------------------------------------------------------------------------------
# The server, as another client of it sees it.


def call(method, path, token=None, body=None, headers=None):
    """An answer: its status and its body."""
    headers = dict(headers or {})
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if body is not None:
        headers["Content-Type"] = "application/json"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE_URL + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except urllib.error.HTTPError as answer:
        return answer.code, json.loads(answer.read())


def get(path, token):
    status, body = call("GET", path, token)
    assert status == 200, (path, status, body)
    return body


def token_of(username):
    status, body = call("POST", "/api/auth/login", body={"username": username, "password": PASSWORD})
    assert status == 200, body
    return body["access_token"]


def register_agent(username, full_name):
    person = {"username": username, "password": "correct horse battery", "email": f"{username}@example.com",
              "phone": "+254700000009", "role": "agent", "full_name": full_name}
    status, body = call("POST", "/api/auth/register", body=person)
    assert status == 201, body
    return body


# ----------------------------------------------------------------------------------------------------------------------
# A made-up book: what each operation that the page reads would answer. Figures follow from places, not from chance.

LARGEST = {"KES": 2, "INR": 2, "NGN": 2, "VND": 0, "PHP": 2}
STATUSES = ["pending", "approved", "rejected", "withdrawn", "disbursed", "repaid", "defaulted"]
TODAY = datetime.date(2026, 3, 2)


def money(currency, amount):
    return f"{decimal.Decimal(amount):.{LARGEST[currency]}f}"


def some_id(kind, number):
    return f"01957d3a-7c4e-7a10-9d2b-{kind:04x}{number:08x}"


class Book:
    """Lists of a book. The larger it is, the more loans, agents and days there are; at nought there is nothing."""

    def __init__(self, size):
        self.size = size
        self.agents = [self.agent(number) for number in range(size)]
        self.loans = [self.loan(number) for number in range(size)]
        self.collections = [self.collection(number) for number in range(size)]
        self.days = [self.statistics(day) for day in range(3 * size)]

    def statistics(self, days_ago):
        by_currency = {}
        for place, currency in enumerate(LARGEST if self.size else []):
            scale = 10 ** place * (1000 - days_ago * 3)
            wave = 1 + (days_ago * 13 % 29) / 200
            by_currency[currency] = {
                "loans": 41_203 // (place + 1) - days_ago * 11, "total_amount": money(currency, scale * 19_204),
                "avg_amount": money(currency, scale * 0.4821), "disbursed": money(currency, scale * 15_311),
                "repaid": money(currency, scale * 9_876), "outstanding": money(currency, scale * 5_435),
                "past_due": money(currency, int(scale * 402 * wave))}
        counts = dict.fromkeys(STATUSES, 0)
        if self.size:
            counts |= {"pending": self.size, "approved": 812, "rejected": 3_977, "withdrawn": 640, "disbursed": 21_455,
                       "repaid": 57_120, "defaulted": 906}
        return {"as_of": str(TODAY - datetime.timedelta(days_ago)), "total_loans": sum(counts.values()),
                "by_status": counts, "by_currency": by_currency}

    def agent(self, number):
        name = MARKUP if number == 1 else f"{'Wanjiru Asha Chidi Linh Maria'.split()[number % 5]} of branch {number:03}"
        return {"id": some_id(1, number), "username": f"agent.{number:03}", "email": f"agent.{number:03}@example.com",
                "phone": f"+2547000{number:05}", "full_name": name, "role": "agent",
                "status": "pending" if number % 3 == 0 else "active",
                "created_at": "2026-02-27T08:15:30.000000Z", "updated_at": "2026-02-27T08:15:30.000000Z"}

    def loan(self, number):
        currency = list(LARGEST)[number % 5]
        amount = (number * 7_919 % 400 + 5) * 1_000
        every, unit = [(1, "month"), (2, "week"), (1, "day")][number % 3]
        return {"id": some_id(2, number), "borrower_username": f"usr_borrower_{number:03}",
                "amount": money(currency, amount), "currency": currency, "product": f"microloan-{currency.lower()}",
                "status": "pending", "version": 1,
                "agent_id": some_id(1, number % 40) if number % 4 else None, "interest_rate_apr": "24.00",
                "terms": {"instalments": 12, "repay_every": every, "repay_unit": unit},
                "instalment": money(currency, amount * 0.09456), "total_due": money(currency, amount * 1.13472),
                "created_at": f"2026-03-01T{number % 24:02}:05:00.000000Z"}

    def collection(self, number):
        currency = list(LARGEST)[number % 5]
        customer = MARKUP if number == 0 else f"usr_borrower_{number:03}"
        return {"loan_id": some_id(3, number), "customer": customer, "currency": currency,
                "due": money(currency, 2_142.40 + number), "overdue": money(currency, max(0, 60 - number) * 310.5),
                "days_past_due": max(0, 120 - 2 * number)}

    def risk(self, currency, share, loans):
        return {"amount": money(currency, share * 5_435_000), "share": f"{share:.4f}", "loans": loans}

    def arrears(self, group_by):
        groups = []
        for place, currency in enumerate(LARGEST if self.size else []):
            names = {"currency": [currency], "product": [f"microloan-{currency.lower()}", f"{MARKUP}"],
                     "agent": [None, *(agent["id"] for agent in self.agents[:6])]}[group_by]
            for number, group in enumerate(names):
                shares = [decimal.Decimal(share * (number + 2)) / 20_000 for share in (846, 425, 201, 98)]
                pars = {f"par{days}": self.risk(currency, share, int(share * 4_100))
                        for days, share in zip((1, 30, 60, 90), shares)}
                groups.append({"group": group, "currency": currency, "loans": 4_100 - place,
                               "outstanding": money(currency, 5_435_000), **pars})
        return groups

    def performance(self, path):
        def sums(currency):
            return {"requests": 602, "approval_rate": "0.8125", "disbursed": money(currency, 9_204_500),
                    "collected": money(currency, 4_102_250),
                    "par30": self.risk(currency, decimal.Decimal("0.0425"), 17)}

        currencies = list(LARGEST)[:2] if self.size else []
        return {"agent_id": path.split("/")[3], "from": "2026-02-01", "to": str(TODAY),
                "requests": 602 * len(currencies), "approval_rate": "0.8125" if currencies else None,
                "by_currency": {currency: sums(currency) for currency in currencies}}

    def answer(self, path, query):
        """What a GET answers, or None where it is none of the book's."""
        lists = {
            "/api/stats/history": self.days,
            "/api/collections": self.collections,
            "/api/loans": self.loans,
            "/api/agents": [agent for agent in self.agents if query.get("status") in (None, agent["status"])],
        }
        if path in lists:
            start, limit = int(query.get("cursor", 0)), int(query.get("limit", 50))
            rest = lists[path][start:]
            return {"data": rest[:limit], "next_cursor": str(start + limit) if len(rest) > limit else None}
        if path == "/api/stats":
            return self.statistics(0)
        if path == "/api/portfolio/arrears":
            return self.arrears(query.get("group_by", "currency"))
        if re.fullmatch("/api/agents/[^/]+/performance", path):
            return self.performance(path)
        return None


# ----------------------------------------------------------------------------------------------------------------------
# The browser, with a stand-in for some of the server, and an eye on all that the page asks for.


class Visit:
    """A page, what it has asked for, and what it was told off for."""

    def __init__(self, log):
        self.page = Page(WORK / "profile", log)
        self.asked, self.complaints = [], []
        # The book that answers in place of the server, or None.
        self.book = None
        # Paths that are refused, with the problem.
        self.refused = {}
        # Whether nothing has an answer.
        self.offline = False
        page = self.page
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        page.on("Network.requestWillBeSent", lambda event: self.asked.append(event["request"]["url"]))
        page.on("Log.entryAdded", self.logged)
        page.on("Runtime.exceptionThrown", lambda event: self.complaints.append(str(event["exceptionDetails"])))
        page.on("Runtime.consoleAPICalled", lambda event: self.complaints.append(str(event["args"])))
        page.on("Fetch.requestPaused", self.paused)
        page.call("Fetch.enable", patterns=[{"urlPattern": f"{BASE_URL}/api/*"}])

    def logged(self, event):
        # A refusal of the interface is logged too; it is the page's to deal with.
        if event["entry"]["source"] != "network":
            self.complaints.append(event["entry"]["text"])

    def paused(self, event):
        if self.offline:
            self.page.send("Fetch.failRequest", requestId=event["requestId"], errorReason="InternetDisconnected")
            return
        url = urlsplit(event["request"]["url"])
        status, answer, headers = 200, None, [{"name": "Content-Type", "value": "application/json"}]
        if url.path in self.refused:
            status, answer = 503, self.refused[url.path]
            headers.append({"name": "Retry-After", "value": "1"})
        elif event["request"]["method"] == "GET" and self.book:
            answer = self.book.answer(url.path, dict(parse_qsl(url.query)))
        if answer is None:
            self.page.send("Fetch.continueRequest", requestId=event["requestId"])
            return
        self.page.send(
            "Fetch.fulfillRequest", requestId=event["requestId"], responseCode=status, responseHeaders=headers,
            body=base64.b64encode(json.dumps(answer).encode()).decode())

    def log_in(self, username, password=PASSWORD):
        """Opens the page and logs in, whoever was logged in before."""
        self.page.evaluate("(() => { try { sessionStorage.clear() } catch { /* no page yet */ } })()")
        self.page.call("Page.navigate", url=f"{BASE_URL}/dashboard")
        self.page.wait_for("document.querySelector('#login:not([hidden])') !== null")
        self.page.write("#username", username)
        self.page.write("#password", password)
        self.page.press("Enter")

    def loaded(self):
        """Waits until the dashboard is there and no section is loading."""
        self.page.wait_for("document.querySelector('#totals > div, #no-money:not([hidden])') !== null")
        # The collections come after the figures, which tell the day.
        self.page.wait_for("document.querySelector('#collections-on').value !== ''")
        self.page.wait_for("document.querySelector('[aria-busy]') === null")

    def rows(self, section):
        """The texts of a table's cells, row by row."""
        found = json.dumps(f"{section} tbody tr")
        return self.page.evaluate(
            f"[...document.querySelectorAll({found})].map(row => [...row.cells].map(it => it.innerText))")

    def figures(self, list_id):
        return dict(self.page.evaluate(
            f"[...document.querySelectorAll('#{list_id} > div')]"
            ".map(it => [...it.children].map(part => part.textContent))"))

    def messages(self):
        return self.page.evaluate(
            "[...document.querySelectorAll('.message')].map(it => it.textContent).filter(Boolean)")


def grouped(value):
    """The reference for what the page makes of an amount."""
    whole, point, fraction = str(value).partition(".")
    return f"{int(whole):,}{point}{fraction}"


def same(shown, expected):
    assert shown == expected, f"the page shows {shown!r}, not {expected!r}"


# ----------------------------------------------------------------------------------------------------------------------
# What is checked.


def check_headers():
    with urllib.request.urlopen(f"{BASE_URL}/dashboard") as answer:
        policy, page = answer.headers["Content-Security-Policy"], answer.read().decode()
        for part in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
                     "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"):
            assert part in policy.split("; "), policy
        assert "unsafe" not in policy, policy
        same(answer.headers["Referrer-Policy"], "no-referrer")
        same(answer.headers["X-Content-Type-Options"], "nosniff")
    for file in re.findall('"(/dashboard/[^"]+)"', page):
        with urllib.request.urlopen(BASE_URL + file) as answer:
            assert "immutable" in answer.headers["Cache-Control"], file
        with urllib.request.urlopen(BASE_URL + file.split("?")[0]) as answer:
            same(answer.headers["Cache-Control"], "no-cache")
    same(call("GET", "/dashboard/dashboard.html")[0], 404)


def check_login(visit):
    page = visit.page
    visit.log_in("admin", "not the password")
    page.wait_for("document.querySelector('#login-message').textContent.includes('password is wrong')")
    same(page.evaluate("document.querySelector('#password').value"), "")
    visit.log_in("customer")
    page.wait_for("document.querySelector('#login-message').textContent.includes('for staff')")
    same(page.evaluate("document.querySelector('#dashboard')"), None)


def check_figures(visit, statistics):
    """The sections' figures against the interface's answers."""
    counts = {"all": statistics["total_loans"], **statistics["by_status"]}
    same(visit.figures("statuses"), {status: grouped(count) for status, count in counts.items()})
    same(visit.page.text("#as-of"), statistics["as_of"])
    tabs = visit.page.evaluate("[...document.querySelectorAll('[role=tab]')].map(it => it.textContent)")
    same(tabs, list(statistics["by_currency"]))
    for currency, sums in statistics["by_currency"].items():
        visit.page.click(f"#tab-{currency}")
        shown = visit.figures("totals")
        for name, field in (("Outstanding", "outstanding"), ("Past due", "past_due"), ("Disbursed", "disbursed"),
                            ("Repaid", "repaid"), ("Applied for", "total_amount"), ("Average loan", "avg_amount")):
            same(shown[name], f"{grouped(sums[field])} {currency}")
        same(shown["Loans"], grouped(sums["loans"]))
        same(visit.page.evaluate("document.querySelectorAll('[aria-selected=true]').length"), 1)


def check_lists(visit, admin):
    """The lists against the interface's answers."""
    visit.page.click("#tab-VND")
    days = [day["as_of"] for day in get("/api/stats/history", admin)["data"] if "VND" in day["by_currency"]]
    same(visit.page.evaluate(
        "[...document.querySelectorAll('#history tbody tr')].map(row => row.cells[0].textContent)"), days)
    arrears = [group for group in get("/api/portfolio/arrears", admin)
               if group["currency"] == "VND" and decimal.Decimal(group["outstanding"])]
    same([row[:2] for row in visit.rows("#arrears")],
         [["VND", f"{grouped(group['outstanding'])}\n{group['loans']} loan{'s' * (group['loans'] != 1)}"]
          for group in arrears])
    # The history ends with today's figures as they are, not as they were kept when the server started.
    visit.page.click("#tab-INR")
    statistics = get("/api/stats", admin)
    sums = statistics["by_currency"]["INR"]
    same(visit.page.evaluate("[...document.querySelector('#history tbody tr').cells].map(it => it.textContent)"),
         [statistics["as_of"], grouped(sums["loans"]), *(
             grouped(sums[field]) for field in ("disbursed", "repaid", "outstanding", "past_due"))])
    collections = get("/api/collections", admin)["data"]
    same([row[-1] for row in visit.rows("#collections")], [item["loan_id"] for item in collections[:10]])


def check_reload(visit, admin):
    """A reload goes on with the tab's session, and instants are shown as the lender's clocks have them."""
    page = visit.page
    page.evaluate("window.before = true")
    page.call("Page.reload")
    page.wait_for("window.before === undefined && document.querySelector('#dashboard') !== null")
    visit.loaded()
    same(page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]"), [0, 1, ""])
    [oldest, *_] = get("/api/loans?status=pending&sort=created_at", admin)["data"]
    created = datetime.datetime.fromisoformat(oldest["created_at"]).astimezone(zoneinfo.ZoneInfo("Asia/Kolkata"))
    same(visit.rows("#loans")[0][4], f"{created:%Y-%m-%d %H:%M} GMT+5:30")


def check_decisions(visit, admin, agent):
    """Loans and agents are approved and rejected, and what was changed in the meantime is not."""
    page = visit.page
    loan = lambda borrower: next(
        loan for loan in get("/api/loans?sort=created_at", admin)["data"] if loan["borrower_username"] == borrower)
    confirm = "document.querySelector('#decision[open]') !== null"

    def press(action, whom):
        page.click(f'[aria-label^="{action} {whom}"]')
        page.wait_for(confirm)

    # An agent changes the loan that the admin looks at: it is not approved, and shown as it now is.
    stale = loan("usr_kenya_001")
    status, changed = call("PATCH", f"/api/loans/{stale['id']}", agent, {"amount": "13000.00"},
                           {"If-Match": f'"{stale["version"]}"'})
    assert status == 200, changed
    press("Approve", "usr_kenya_001")
    page.click("#decision-confirm")
    page.wait_for("document.querySelector('#notice').textContent.includes('changed in the meantime')")
    same(loan("usr_kenya_001")["status"], "pending")
    check_widths(visit, "changed")
    [row] = [row for row in visit.rows("#loans") if row[0] == "usr_kenya_001"]
    assert row[1].startswith("13,000.00 KES"), row
    press("Approve", "usr_kenya_001")
    page.click("#decision-confirm")
    page.wait_for("document.querySelector('#notice').textContent.startsWith('Approved: 13,000.00 KES')")
    same(loan("usr_kenya_001")["status"], "approved")
    assert "usr_kenya_001" not in [row[0] for row in visit.rows("#loans")]
    # The focus is on the row that follows.
    focused = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.id"
    assert page.evaluate(focused).startswith("Approve usr_vietnam_004"), page.evaluate(focused)

    # Another admin has approved what this one rejects.
    [taken] = get("/api/loans?status=pending&currency=VND", admin)["data"]
    status, answer = call("POST", f"/api/loans/{taken['id']}/approve", admin, {}, {"If-Match": f'"{taken["version"]}"'})
    assert status == 200, answer
    press("Reject", "usr_vietnam_004")
    page.write("#decision-reason", "too late")
    page.click("#decision-confirm")
    page.wait_for("document.querySelector('#notice').textContent.includes('is approved by now')")
    assert page.evaluate(focused).startswith("Approve usr_india_002"), page.evaluate(focused)

    # To reject needs a reason, and does not look like to approve.
    colour = "getComputedStyle(document.querySelector('#decision-confirm')).backgroundColor"
    press("Approve", "usr_india_002")
    approving = page.evaluate(colour)
    page.press("Escape")
    press("Reject", "usr_india_002")
    assert page.evaluate(colour) != approving, approving
    page.click("#decision-confirm")
    same(page.evaluate("document.querySelector('#decision-reason:invalid') !== null"), True)
    page.press("Escape")
    same(page.evaluate(confirm), False)
    press("Reject", "usr_india_002")
    page.write("#decision-reason", "income <b>too low</b>")
    check_widths(visit, "dialog")
    page.click("#decision-confirm")
    page.wait_for("document.querySelector('#notice').textContent.startsWith('Rejected')")
    [rejected] = get("/api/loans?status=rejected&currency=INR", admin)["data"]
    same(rejected["decision_reason"], "income <b>too low</b>")
    page.wait_for("document.querySelector('#loans .empty:not([hidden])') !== null")
    visit.loaded()
    same(visit.figures("statuses")["pending"], "0")
    same(page.evaluate(focused), "loans-title")

    # Agents.
    same(sorted(row[0] for row in visit.rows("#agents")), sorted([MARKUP, "Second of two"]))
    press("Approve", "Second of two")
    page.click("#decision-confirm")
    page.wait_for("document.querySelector('#notice').textContent.startsWith('Approved: Second of two')")
    page.click("#agents tbody button:last-of-type")
    page.wait_for(confirm)
    page.write("#decision-reason", "unknown")
    page.click("#decision-confirm")
    page.wait_for("document.querySelector('#notice').textContent.startsWith('Rejected')")
    agents = {agent["username"]: agent["status"] for agent in get("/api/agents", admin)["data"]}
    same((agents["agent.one"], agents["agent.two"]), ("rejected", "active"))


def check_sessions(visit, admin):
    """A session that is over leads to the login; logging out ends it at the interface."""
    page = visit.page
    token = {}
    page.on("Network.requestWillBeSentExtraInfo", lambda event: token.update(
        (("it", value) for name, value in event["headers"].items() if name.lower() == "authorization")))
    page.click("#refresh")
    visit.loaded()
    page.click("#logout")
    page.wait_for("document.querySelector('#login-message').textContent === 'You have logged out.'")
    same(page.evaluate("document.querySelector('#dashboard')"), None)
    page.wait_for("performance.getEntriesByType('resource').some(it => it.name.endsWith('/api/auth/logout'))")
    same(call("GET", "/api/auth/me", token["it"].removeprefix("Bearer "))[0], 401)

    visit.log_in("agent")
    visit.loaded()
    check_widths(visit, "agent")
    same(page.evaluate("[...document.querySelectorAll('[data-admin]')].every(it => it.hidden)"), True)
    same(page.evaluate("document.querySelector('#collections').checkVisibility()"), True)
    [me] = [user for user in get("/api/users?q=agent", admin)["data"] if user["username"] == "agent"]
    assert call("POST", f"/api/users/{me['id']}/suspend", admin)[0] == 200
    page.click("#refresh")
    page.wait_for("document.querySelector('#login-message').textContent.includes('session has ended')")
    page.write("#password", PASSWORD)
    page.press("Enter")
    page.wait_for("document.querySelector('#login-message').textContent.includes('suspended')")
    same(page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]"), [0, 0, ""])


def check_book(visit, book):
    """Every section of a large book: each currency by itself, page by page, and no text taken for markup."""
    page = visit.page
    check_figures(visit, book.statistics(0))
    page.click("#tab-KES")
    page.evaluate("document.querySelector('#history-figures').open = true")
    newest = book.days[0]["by_currency"]["KES"]
    same(visit.rows("#history")[0], [book.days[0]["as_of"], grouped(newest["loans"]), *(
        grouped(newest[field]) for field in ("disbursed", "repaid", "outstanding", "past_due"))])
    same(len(visit.rows("#history")), 90)
    page.click("#history .more")
    page.wait_for("document.querySelectorAll('#history-table tbody tr').length === 180")
    same(page.evaluate("document.querySelector('#history .more').hidden"), True)
    assert f"Outstanding {grouped(newest['outstanding'])}" in page.text("#readout"), page.text("#readout")
    # Something is drawn, in the colours of the lines.
    assert page.evaluate(
        "(() => { const it = document.querySelector('#plot canvas'); const data = it.getContext('2d')"
        ".getImageData(0, 0, it.width, it.height).data; return data.some(value => value !== 0) })()")
    page.evaluate("document.querySelector('#history-figures').open = false")

    # The tabs answer to the keyboard, and the next currency has its own figures.
    page.evaluate("document.querySelector('#tab-KES').focus()")
    page.press("ArrowRight")
    same(page.evaluate("document.activeElement.id"), "tab-INR")
    same(visit.figures("totals")["Outstanding"], f"{grouped(book.days[0]['by_currency']['INR']['outstanding'])} INR")
    assert "INR" in page.text("#readout")
    page.press("End")
    same(page.evaluate("document.querySelector('[aria-selected=true]').id"), "tab-PHP")
    page.click("#tab-KES")

    [whole] = [group for group in book.arrears("currency") if group["currency"] == "KES"]
    [shown] = visit.rows("#arrears")
    same(shown[0], "KES")
    for risk, cell in zip(("par1", "par30", "par60", "par90"), shown[2:]):
        share, amount, loans = (whole[risk][field] for field in ("share", "amount", "loans"))
        same(cell.split(), [f"{decimal.Decimal(share) * 100:.2f}", "%", grouped(amount), grouped(loans), "loans"])
    page.choose("#group-by", "product")
    page.wait_for("document.querySelectorAll('#arrears tbody tr').length === 2")
    same([row[0] for row in visit.rows("#arrears")], ["microloan-kes", MARKUP])
    page.choose("#group-by", "agent")
    page.wait_for("document.querySelectorAll('#arrears tbody tr').length === 7")
    same([row[0] for row in visit.rows("#arrears")][:2], ["no agent", "agent.000"])
    page.choose("#group-by", "currency")

    same([row[0] for row in visit.rows("#loans")], [loan["borrower_username"] for loan in book.loans[:10]])
    for rows in range(20, len(book.loans) + 1, 10):
        page.click("#loans .more")
        page.wait_for(f"document.querySelectorAll('#loans tbody tr').length === {rows}")
    same([row[0] for row in visit.rows("#loans")], [loan["borrower_username"] for loan in book.loans])
    same(page.evaluate("document.querySelector('#loans .more').hidden"), True)
    first = book.collections[0]
    amounts = [f"{grouped(first[field])} KES" for field in ("due", "overdue")]
    same(visit.rows("#collections")[0], [MARKUP, *amounts, str(first["days_past_due"]), first["loan_id"]])
    page.choose("#performance-agent", book.agents[2]["id"])
    page.wait_for("document.querySelectorAll('#performance tbody tr').length === 2")
    assert "1,204 requests, 81.25 % approved" in page.text("#performance-summary")
    # What is chosen is what is asked for.
    for control, value, asked in (
            ("#interval", "month", "/api/stats/history?interval=month&limit=90"),
            ("#collections-on", "2026-02-14", "/api/collections?on=2026-02-14&limit=10"),
            ("#collections-agent", book.agents[2]["id"], f"on=2026-02-14&agent_id={book.agents[2]['id']}&limit=10"),
            ("#performance-from", "2026-01-01", f"{book.agents[2]['id']}/performance?from=2026-01-01")):
        page.choose(control, value)
        visit.loaded()
        assert any(url.endswith(asked) for url in visit.asked), f"not asked for {asked}"
    same(page.evaluate("document.querySelectorAll('main img').length"), 0)
    assert "owned" not in page.evaluate("document.title")


def check_refusal(visit):
    """What one section is refused it says in words, and the others show what they have."""
    visit.refused = {"/api/collections": {"detail": "The database cannot be reached"}}
    visit.page.click("#refresh")
    visit.page.wait_for("document.querySelector('#collections .message').textContent !== ''")
    visit.page.wait_for("document.querySelector('[aria-busy]') === null")
    same(visit.messages(), ["The database cannot be reached. Try again in 1 s."])
    same(len(visit.rows("#loans")), 10)
    visit.refused = {}
    visit.page.click("#refresh")
    visit.page.wait_for("document.querySelector('#collections .message').textContent === ''")
    visit.loaded()


def check_offline(visit):
    """One banner says that the server cannot be reached, and its button asks for all again."""
    page = visit.page
    visit.offline = True
    page.click("#refresh")
    page.wait_for("document.querySelector('#offline:not([hidden])') !== null")
    page.wait_for("document.querySelector('[aria-busy]') === null")
    same(visit.messages(), [])
    same(page.text("#notice"), "")
    check_widths(visit, "offline")
    page.click("#retry")
    page.wait_for("document.querySelector('[aria-busy]') === null")
    same(page.evaluate("document.querySelector('#offline').hidden"), False)
    visit.offline = False
    page.click("#retry")
    page.wait_for("document.querySelector('#offline').hidden")
    same(page.evaluate("document.activeElement.id"), "title")
    same(len(visit.rows("#loans")), 10)


def check_first_day(visit):
    """A single day has figures, but no plot."""
    visit.book = Book(1)
    del visit.book.days[1:]
    visit.log_in("admin")
    visit.loaded()
    page = visit.page
    same(page.evaluate("[document.querySelector('#plot').checkVisibility(), document.querySelector('#plot canvas')]"),
         [False, None])
    outstanding = visit.book.days[0]["by_currency"]["KES"]["outstanding"]
    assert f"Outstanding {grouped(outstanding)}" in page.text("#readout"), page.text("#readout")
    visit.book = None


def check_widths(visit, name):
    """Nothing is wider than the narrowest screen, nor than any other; takes the pictures."""
    page = visit.page
    for width, scheme in SCREENS:
        page.screen(width, scheme=scheme)
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{name}: {wide} pixels on a screen of {width}"
        if PICTURES:
            page.picture(PICTURES / f"{name}-{width}-{scheme}.png")
    page.screen(1440)


def main():
    check_headers()
    admin, agent = token_of("admin"), token_of("agent")
    register_agent("agent.one", MARKUP)
    register_agent("agent.two", "Second of two")
    for borrower, amount, currency, product in (
            ("usr_vietnam_004", "8400", "VND", "microloan-vnd"), ("usr_india_002", "1234567.50", "INR", "personal")):
        loan = {"borrower_id": borrower, "amount": amount, "currency": currency, "product": product}
        status, body = call("POST", "/api/loans", agent, loan)
        assert status == 201, body

    if PICTURES:
        PICTURES.mkdir(parents=True, exist_ok=True)
    empty, large = Book(0), Book(60)
    with open(WORK / "browser.log", "w") as log:
        visit = Visit(log)
        try:
            page = visit.page
            page.screen(1440)
            check_login(visit)

            visit.log_in("admin")
            visit.loaded()
            same(visit.messages(), [])
            check_figures(visit, get("/api/stats", admin))
            check_lists(visit, admin)
            check_reload(visit, admin)
            check_decisions(visit, admin, agent)
            check_sessions(visit, admin)
            check_first_day(visit)

            for name, book in (("empty", empty), ("large", large)):
                visit.book = book
                visit.log_in("admin")
                visit.loaded()
                same(visit.messages(), [])
                if book is large:
                    check_book(visit, book)
                    check_refusal(visit)
                    check_offline(visit)
                check_widths(visit, name)
            visit.log_in("nobody", "x")
            page.wait_for("document.querySelector('#login-message').textContent !== ''")
            check_widths(visit, "login")
        finally:
            visit.page.close()
    # The icons of the browser's own controls are data.
    elsewhere = lambda url: not url.startswith(("about:", "data:")) and urlsplit(url)[:2] != urlsplit(BASE_URL)[:2]
    others = set(filter(elsewhere, visit.asked))
    assert not others, f"the page asked for {sorted(others)}"
    assert not visit.complaints, "the browser complains:\n" + "\n".join(visit.complaints)
    print(f"the dashboard: {len(visit.asked)} requests, all of them to the server itself; "
          "its own book, an empty one and a large one")


main()
