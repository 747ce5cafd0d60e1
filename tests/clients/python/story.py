"""The first loan of the README, told by the client that openapi-python-client makes of the document.

story.py BASE_URL
"""

import base64
import datetime
import sys
import time
from http import HTTPStatus
from typing import TypeVar

from microloans_client import AuthenticatedClient, Client
from microloans_client.api.agents import approve_agent
from microloans_client.api.auth import login, register
from microloans_client.api.loans import approve_loan, create_loan, get_loan, list_loans
from microloans_client.api.products import create_quote
from microloans_client.api.servicing import (
    disburse_loan,
    get_loan_ledger,
    get_loan_schedule,
    get_loan_statement,
    record_repayment,
)
from microloans_client.models import (
    Allocation,
    LoanStatus,
    NewDisbursement,
    NewLoan,
    NewRepayment,
    OptionalReason,
    Problem,
    QuoteRequest,
    Registration,
    RegistrationRole,
    StatusChange,
    User,
)
from microloans_client.types import Response

T = TypeVar("T")

base_url = sys.argv[1]
tag = f"{time.time_ns():x}"
today = datetime.datetime.now(datetime.timezone.utc).date()
password = "correct horse battery"


def answered(answer: Response[T | Problem]) -> T:
    """The body of an answer that is no refusal."""
    assert answer.parsed is not None and not isinstance(answer.parsed, Problem), answer.content.decode()
    return answer.parsed


def refused(answer: Response[T | Problem]) -> Problem:
    """The body of a refusal."""
    assert isinstance(answer.parsed, Problem), answer.content.decode()
    return answer.parsed


anyone = Client(base_url=base_url)


def log_in(username: str, password: str) -> AuthenticatedClient:
    credentials = base64.b64encode(f"{username}:{password}".encode()).decode()
    basic = AuthenticatedClient(base_url=base_url, token=credentials, prefix="Basic")
    session = answered(login.sync_detailed(client=basic))
    return AuthenticatedClient(base_url=base_url, token=session.access_token)


def registered(username: str, role: RegistrationRole) -> User:
    body = Registration(
        username=username, password=password, role=role, email=f"{username}@example.com", phone="+919812345678"
    )
    return answered(register.sync_detailed(client=anyone, body=body))


# People: a customer is active at once, an agent once an admin approves it.
admin = log_in("admin", "microloans-demo")
customer = registered(f"py_customer_{tag}", RegistrationRole.CUSTOMER)
newcomer = registered(f"py_agent_{tag}", RegistrationRole.AGENT)
answered(approve_agent.sync_detailed(newcomer.id, client=admin, body=StatusChange()))
agent = log_in(newcomer.username, password)

# The cost of a loan; anyone may ask.
quote = answered(
    create_quote.sync_detailed(
        client=anyone, body=QuoteRequest(amount="12000.50", currency="INR", product="microloan-inr")
    )
)
assert quote.apr.nominal is not None and len(quote.apr.nominal.split(".")[1]) == 4, quote.apr

# The agent applies for the customer.
application = NewLoan(
    borrower_id=customer.username, amount="12000.50", currency="INR", term_months=6, interest_rate_apr="24"
)
loan = answered(create_loan.sync_detailed(client=agent, body=application, idempotency_key=f"apply-{tag}"))
assert (loan.status, loan.amount) == (LoanStatus.PENDING, "12000.50"), loan
found = answered(
    list_loans.sync_detailed(client=agent, status=[LoanStatus.PENDING], borrower_id=str(customer.id))
)
assert [one.id for one in found.data] == [loan.id], found
schedule = answered(get_loan_schedule.sync_detailed(loan.id, client=agent))
assert len(schedule.rows) == 6, schedule

# The admin approves the version they have seen, and no other.
seen = get_loan.sync_detailed(loan.id, client=admin)
stale = approve_loan.sync_detailed(loan.id, client=admin, body=OptionalReason(), if_match='"9"')
assert (stale.status_code, refused(stale).code) == (HTTPStatus.PRECONDITION_FAILED, "stale_version"), stale
approved = approve_loan.sync_detailed(loan.id, client=admin, body=OptionalReason(), if_match=seen.headers["etag"])
assert answered(approved).status == LoanStatus.APPROVED, approved

# The admin pays it out; the agent takes a payment, sent twice and counted once.
answered(
    disburse_loan.sync_detailed(
        loan.id, client=admin, body=NewDisbursement(disbursed_on=today), idempotency_key=f"pay-out-{tag}"
    )
)
payment, again = (
    answered(
        record_repayment.sync_detailed(
            loan.id,
            client=agent,
            body=NewRepayment(amount="2142.40", paid_on=today, channel="cash"),
            idempotency_key=f"receipt-{tag}",
        )
    )
    for _ in range(2)
)
assert isinstance(payment.allocation, Allocation) and payment.allocation.principal == "1902.39", payment
assert again.id == payment.id, again

# Its statement, its ledger, and a refusal that names the field.
statement = answered(get_loan_statement.sync_detailed(loan.id, client=agent, limit=1))
assert (len(statement.data), statement.closing_balance) == (1, "10098.11"), statement
assert statement.next_cursor is not None
assert len(answered(get_loan_ledger.sync_detailed(loan.id, client=admin)).data) == 2
nothing = record_repayment.sync_detailed(
    loan.id, client=agent, body=NewRepayment(amount="0", paid_on=today), idempotency_key=f"nothing-{tag}"
)
problem = refused(nothing)
assert problem.code == "validation_failed" and problem.errors and problem.errors[0].pointer == "/amount", problem
print("openapi-python-client: the story is told")
