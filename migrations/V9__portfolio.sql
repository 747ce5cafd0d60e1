-- The portfolio: figures that are sums over all loans or over the whole ledger. Each change of a loan leaves what it changed
-- in them, in its own transaction, as rows of its own in the tables named ..._changes: nobody waits for anybody. The
-- scheduled function moves those rows into the sums beside them, in one transaction, so that a figure, which is read as
-- sums and changes together by one statement, counts every change once, whenever that commits.

-- Loans by currency and state, and their money, on each day: a figure of a day is the sum of everything up to it. What
-- falls due on a day to come is here already, with that day's successor as its date.
CREATE TABLE book_changes (
    on_date date NOT NULL,
    currency text NOT NULL,
    status text NOT NULL,
    loans bigint NOT NULL,
    amount numeric NOT NULL,
    disbursed numeric NOT NULL,
    repaid numeric NOT NULL,
    outstanding numeric NOT NULL,
    past_due numeric NOT NULL
);
CREATE TABLE book_days (LIKE book_changes, PRIMARY KEY (on_date, currency, status));
-- Whole months, by their first day, so that the sum up to any day is one of few rows.
CREATE TABLE book_months (LIKE book_changes, PRIMARY KEY (on_date, currency, status));

-- Disbursed loans by the date of their oldest unpaid instalment, null where only penalties are unpaid: what is at risk
-- today follows from the sums before a date. Once by currency, once by product and once by agent, and of each group all loans
-- whatever their date, under the first day there is: so the loans that pay in time are not looked at.
CREATE TABLE exposure_changes (
    grouped_by text NOT NULL,
    -- The currency, the product's code or the agent's id; null for loans without an agent.
    group_name text,
    currency text NOT NULL,
    oldest_unpaid_due_on date,
    loans bigint NOT NULL,
    outstanding numeric NOT NULL
);
CREATE TABLE exposures (
    LIKE exposure_changes,
    UNIQUE NULLS NOT DISTINCT (grouped_by, oldest_unpaid_due_on, currency, group_name)
);
CREATE INDEX exposures_by_group ON exposures (grouped_by, group_name);

-- What each agent's loans come to, by day: requests on the day of the request, with what became of them; money on its
-- value date.
CREATE TABLE agent_changes (
    agent_id uuid NOT NULL,
    currency text NOT NULL,
    on_date date NOT NULL,
    requests bigint NOT NULL,
    approved bigint NOT NULL,
    rejected bigint NOT NULL,
    disbursed numeric NOT NULL,
    collected numeric NOT NULL
);
CREATE INDEX agent_changes_by_agent ON agent_changes (agent_id);
CREATE TABLE agent_days (LIKE agent_changes, PRIMARY KEY (agent_id, on_date, currency));

-- What is posted to each account, by value date.
CREATE TABLE account_changes (
    on_date date NOT NULL,
    currency text NOT NULL,
    account text NOT NULL,
    debit numeric NOT NULL,
    credit numeric NOT NULL
);
CREATE TABLE account_days (LIKE account_changes, PRIMARY KEY (on_date, currency, account));
CREATE TABLE account_months (LIKE account_changes, PRIMARY KEY (on_date, currency, account));
-- As it was known at an instant: what was posted later is taken off.
CREATE INDEX transactions_recorded ON transactions (recorded_at);

-- When the figures were made from the transactions of all loans. Where there are loans already, they have yet to be.
CREATE TABLE figures_builds (
    built_at timestamptz NOT NULL,
    loans bigint NOT NULL
);
INSERT INTO figures_builds (built_at, loans) SELECT now(), 0 WHERE NOT EXISTS (SELECT FROM loans);
GRANT SELECT, INSERT ON figures_builds TO microloans_app;

GRANT SELECT, INSERT, DELETE ON book_changes, exposure_changes, agent_changes, account_changes TO microloans_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON book_days, book_months, exposures, agent_days, account_days, account_months
    TO microloans_app;

-- What is to be collected, what fell due first before everything else.
DROP INDEX loans_past_due;
CREATE INDEX loans_to_collect ON loans ((owed_on[1]), id) WHERE status = 'disbursed';
CREATE INDEX loans_to_collect_by_agent ON loans (agent_id, (owed_on[1]), id) WHERE status = 'disbursed';
