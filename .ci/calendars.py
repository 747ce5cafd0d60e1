"""Compares the calendars of the system, and due dates on them, with PyPI's `holidays`.

    calendars.py BASE_URL ADMIN_PASSWORD
"""

import base64
import json
import sys
import urllib.error
import urllib.request
from calendar import monthrange
from datetime import date, timedelta

import holidays

BASE_URL, PASSWORD = sys.argv[1:]
COUNTRIES = {"ke": "KE", "in": "IN", "ng": "NG", "vn": "VN", "ph": "PH"}
YEARS = range(2024, 2031)
WEEKEND = {5: "sat", 6: "sun"}
RULES = ("following", "preceding", "modified_following", "extend")


def call(method, path, body=None, token=None, **headers):
    """The answer of the interface, or the error that it answers."""
    headers["Content-Type"] = "application/json"
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE_URL + path, data=data, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error.code} {error.read().decode()}")


def log_in():
    """The token of the administrator."""
    basic = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
    return call("POST", "/api/auth/login", Authorization=f"Basic {basic}")["access_token"]


def months_later(start, months):
    """The same day of a later month, or the last one that it has."""
    month = start.month - 1 + months
    year, month = start.year + month // 12, month % 12 + 1
    return date(year, month, min(start.day, monthrange(year, month)[1]))


def due_dates(start, unit, rule, count, works):
    """The rules of docs/lending.md, one day at a time."""
    day = timedelta(days=1)

    def onwards(on):
        while not works(on):
            on += day
        return on

    def back(on):
        while not works(on):
            on -= day
        return on

    dates, nominal, last = [], start, start
    for k in range(1, count + 1):
        if unit == "month":
            nominal = months_later(start, k)
        elif rule != "extend":
            nominal = start + timedelta(days=k * (7 if unit == "week" else 1))
        elif unit == "day":
            nominal = onwards(nominal + day)
        else:
            nominal += timedelta(days=7)
            while not works(nominal):
                nominal += timedelta(days=7)
        on = onwards(nominal)
        before = back(nominal)
        if on != nominal and rule == "preceding" and before > last:
            on = before
        if on.month != nominal.month and rule == "modified_following":
            on = before
        if on <= last:
            on = onwards(last + day)
        dates.append(on)
        last = on
    return [str(on) for on in dates]


def known_holidays(country):
    """The dates and names that the package has."""
    return dict(sorted(holidays.country_holidays(country, years=YEARS, language="en_US").items()))


def compare_seed(code, known):
    """No holiday of the calendar that comes with the system is unknown to the package."""
    seed = call("GET", f"/api/calendars/{code}")
    dates = [date.fromisoformat(it["on"]) for it in seed["holidays"]]
    return [f"{code}: {on} is no holiday" for on in dates if on.year in YEARS and on not in known]


def compare_due_dates(code, known, token):
    """Due dates on all holidays of the package, from every tenth day of a year on."""
    calendar = f"all-{code}"
    entered = [{"on": str(on), "name": name[:200]} for on, name in known.items()]
    body = {"name": calendar, "weekend": list(WEEKEND.values()), "holidays": entered}
    call("PUT", f"/api/calendars/{calendar}", body, token)

    def works(on):
        return on.weekday() not in WEEKEND and on not in known

    different, count = [], 0
    for place in range(0, 2 * 365, 10):
        start = date(2024, 1, 1) + timedelta(days=place)
        for unit, instalments in (("day", 60), ("week", 52), ("month", 36)):
            for rule in RULES:
                if rule == "extend" and (unit == "month" or unit == "week" and start.weekday() in WEEKEND):
                    continue
                terms = {"interest_rate_apr": "12", "instalments": instalments, "repay_unit": unit,
                         "calendar": {"code": calendar, "rule": rule}}
                quote = call("POST", "/api/quotes", {"amount": "1000000", "currency": "KES", "disbursed_on": str(start),
                                                     "terms": terms})
                got = [row["due_on"] for row in quote["rows"]]
                count += 1
                if got != due_dates(start, unit, rule, instalments, works):
                    different.append(f"{calendar}, {start}, {unit}, {rule}: {got}")
    return different, count


def main():
    token = log_in()
    wrong, compared = [], 0
    for code, country in COUNTRIES.items():
        known = known_holidays(country)
        wrong += compare_seed(code, known)
        different, count = compare_due_dates(code, known, token)
        wrong += different
        compared += count
    if wrong:
        sys.exit("\n".join(wrong[:20]))
    print(f"{len(COUNTRIES)} calendars and {compared} schedules agree with holidays {holidays.__version__}")


main()
