-- Penalties to collect, and loans whose columns and journal are stated again by newer rules.

-- Penalties unpaid by due date, as `owed_on` and `owed` are for all else. Late fees arise while time passes, and no job moves
-- them on: those that can still arise are here with their days, as they do while nothing is paid. Loans that are there get
-- theirs when they are stated again. A loan that is closed by code that does not know these columns keeps what is in them:
-- the index below has no such loans.
ALTER TABLE loans
    ADD COLUMN penalties_on date[] NOT NULL DEFAULT '{}',
    ADD COLUMN penalties numeric[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT loans_penalties CHECK (cardinality(penalties_on) = cardinality(penalties));

GRANT UPDATE (penalties_on, penalties) ON loans TO microloans_app;

-- What is to be collected, what fell due first before everything else: a loan of which nothing but a penalty is unpaid too.
DROP INDEX loans_to_collect, loans_to_collect_by_agent;
CREATE INDEX loans_to_collect ON loans ((least(owed_on[1], penalties_on[1])), id) WHERE status = 'disbursed';
CREATE INDEX loans_to_collect_by_agent ON loans (agent_id, (least(owed_on[1], penalties_on[1])), id)
    WHERE status = 'disbursed';

-- The rules by which a row was last written, as the code counts them; 0 where that was before they were counted. What newer
-- rules make of the same transactions is written by the migrate function, as the owner, which finds here what it has to do:
-- one look where that is nothing.
ALTER TABLE loans ADD COLUMN rules_version integer NOT NULL DEFAULT 0 CHECK (rules_version >= 0);
GRANT UPDATE (rules_version) ON loans TO microloans_app;
CREATE INDEX loans_by_rules ON loans (rules_version, id);

-- The owner may state again what a loan comes to that no money has moved for; its state stays. The rest is as before.
CREATE OR REPLACE FUNCTION check_loan_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    -- Steps of the application make a version each; money makes none.
    is_step boolean := NEW.version <> OLD.version;
BEGIN
    IF (NEW.id, NEW.borrower_id, NEW.currency, NEW.created_by, NEW.created_at)
        IS DISTINCT FROM (OLD.id, OLD.borrower_id, OLD.currency, OLD.created_by, OLD.created_at)
    THEN
        RAISE EXCEPTION 'a loan keeps id, borrower, currency and creation'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'loans_fixed';
    END IF;
    IF is_step AND NEW.version <> OLD.version + 1 THEN
        RAISE EXCEPTION 'a step of a loan makes the next version'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'loans_next_version';
    END IF;
    IF is_step AND (OLD.status, NEW.status) NOT IN (
        ('pending', 'pending'), ('pending', 'approved'), ('pending', 'rejected'), ('pending', 'withdrawn'),
        ('rejected', 'pending'), ('approved', 'pending'), ('approved', 'withdrawn')
    ) OR NOT is_step AND (OLD.status, NEW.status) NOT IN (
        -- A disbursement, and its reversal.
        ('approved', 'disbursed'), ('disbursed', 'approved'),
        -- The last payment, a write-off, and whatever takes them back.
        ('disbursed', 'disbursed'), ('disbursed', 'repaid'), ('disbursed', 'defaulted'),
        ('repaid', 'disbursed'), ('repaid', 'repaid'), ('repaid', 'defaulted'),
        ('defaulted', 'disbursed'), ('defaulted', 'repaid'), ('defaulted', 'defaulted')
    ) AND NOT (OLD.status = NEW.status AND OLD.updated_at = NEW.updated_at AND public.comes_from_owner(TG_RELID)) THEN
        RAISE EXCEPTION 'a loan does not go from % to % (version % to %)', OLD.status, NEW.status, OLD.version, NEW.version
            USING ERRCODE = 'check_violation', CONSTRAINT = 'loans_transition';
    END IF;
    IF (NEW.amount, NEW.terms, NEW.product_code, NEW.product_version, NEW.instalments, NEW.interest_rate_apr)
        IS DISTINCT FROM (OLD.amount, OLD.terms, OLD.product_code, OLD.product_version, OLD.instalments, OLD.interest_rate_apr)
        AND NOT (OLD.status IN ('pending', 'rejected') AND NEW.status = 'pending')
    THEN
        RAISE EXCEPTION 'amount and terms change only while a loan is applied for'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'loans_terms_fixed';
    END IF;
    IF NEW.updated_at < OLD.updated_at THEN
        RAISE EXCEPTION 'time goes forward' USING ERRCODE = 'check_violation', CONSTRAINT = 'loans_updated_at';
    END IF;
    RETURN NEW;
END
$$;

-- Entries that put right what an earlier release posted: they name the last transaction of the loan, and were recorded after
-- it. That one may have entries of its own on the same value dates.
ALTER TABLE journal_entries
    ADD COLUMN restates boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT journal_entries_one_a_date,
    ADD CONSTRAINT journal_entries_one_a_date UNIQUE (transaction_id, value_date, recorded_at);
-- They are few: what was recorded later than an instant is found by its transactions else.
CREATE INDEX journal_entries_restating ON journal_entries (recorded_at) WHERE restates;

CREATE OR REPLACE FUNCTION check_journal_entries() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT transaction_id, loan_id, currency, recorded_at FROM made WHERE NOT restates) made
        WHERE (loan_id, currency, recorded_at, pg_current_xact_id()::xid) IS DISTINCT FROM (
            SELECT (t.loan_id, t.currency, t.recorded_at, t.xmin) FROM public.transactions t WHERE t.id = made.transaction_id))
    THEN
        RAISE EXCEPTION 'an entry has a transaction of its loan, and is recorded with it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_entries_transaction';
    END IF;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT transaction_id, loan_id, currency, recorded_at FROM made WHERE restates) made
        WHERE NOT public.comes_from_owner(TG_RELID)
            OR (loan_id, currency) IS DISTINCT FROM (
                SELECT (t.loan_id, t.currency) FROM public.transactions t WHERE t.id = made.transaction_id)
            OR transaction_id IS DISTINCT FROM (
                SELECT t.id FROM public.transactions t WHERE t.loan_id = made.loan_id ORDER BY t.recorded_at DESC LIMIT 1)
            OR recorded_at <= (SELECT t.recorded_at FROM public.transactions t WHERE t.id = made.transaction_id))
    THEN
        RAISE EXCEPTION 'the owner alone states again what was posted, after the last transaction of the loan'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_entries_restating';
    END IF;
    IF EXISTS (SELECT FROM made WHERE value_date NOT BETWEEN '1900-01-01' AND '2200-12-31') THEN
        RAISE EXCEPTION 'a value date is of the years 1900 to 2200'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_entries_value_date';
    END IF;
    -- Those that are there are checked below.
    IF EXISTS (SELECT FROM made WHERE (SELECT count(*) FROM public.journal_lines WHERE entry_id = made.id) = 0) THEN
        RAISE EXCEPTION 'an entry comes with its lines'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_entries_balanced';
    END IF;
    RETURN NULL;
END
$$;
