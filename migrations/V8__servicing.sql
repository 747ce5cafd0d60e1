-- Servicing: what happened to a loan's money, and the books that follow from it. A loan's state is a function of its
-- terms and its transactions; the columns of `loans` repeat what lists show, written in the same transaction.

-- Until now no request could pay a loan out. Where demo data say that one was, there is no money behind it: it is approved.
ALTER TABLE loans DISABLE TRIGGER loans_check_change;
UPDATE loans SET status = 'approved', disbursed_on = NULL, outstanding = 0, next_due_on = NULL, oldest_unpaid_due_on = NULL
WHERE disbursed_on IS NOT NULL;
ALTER TABLE loans ENABLE TRIGGER loans_check_change;

-- Principal, interest and fees unpaid by due date, past and to come, oldest first: what is past due or due next follows
-- from them and the date, so that no job has to move them on.
ALTER TABLE loans
    ADD COLUMN owed_on date[] NOT NULL DEFAULT '{}',
    ADD COLUMN owed numeric[] NOT NULL DEFAULT '{}',
    -- Principal that a write-off gave up.
    ADD COLUMN written_off numeric NOT NULL DEFAULT 0,
    ADD CONSTRAINT loans_written_off CHECK (
        is_money(written_off, currency) AND written_off <= amount AND (status = 'defaulted' OR written_off = 0)),
    ADD CONSTRAINT loans_owed CHECK (
        cardinality(owed_on) = cardinality(owed)
        AND (status = 'disbursed' OR cardinality(owed_on) = 0)
        AND (cardinality(owed_on) = 0) = (oldest_unpaid_due_on IS NULL)
        -- A charge may fall due before the instalment that it is late with.
        AND oldest_unpaid_due_on >= owed_on[1]);
GRANT UPDATE (owed_on, owed, written_off) ON loans TO microloans_app;
-- What is past due is summed over these alone.
CREATE INDEX loans_past_due ON loans (oldest_unpaid_due_on) WHERE status = 'disbursed';

-- Money moves a loan between its states in more ways than one step at a time: a reversal, or a payment entered late, may
-- change what followed it. That a state rests on transactions is what the functions' code sees to, and what the
-- consistency check recomputes; here stays what no transaction may do.
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
    ) THEN
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

-- What happened to a loan. A payment after a write-off is a repayment here too: that it is a recovery follows from the
-- other transactions, as do allocations and what a write-off gave up.
CREATE TABLE transactions (
    id uuid PRIMARY KEY,
    loan_id uuid NOT NULL REFERENCES loans (id),
    kind text NOT NULL CONSTRAINT transactions_kind CHECK (
        kind IN ('disbursement', 'repayment', 'refund', 'charge', 'waiver', 'write_off', 'reschedule', 'reversal')),
    -- The business date from which it counts; of a reversal, that of what it reverses.
    value_date date NOT NULL CHECK (value_date BETWEEN '1900-01-01' AND '2200-12-31'),
    recorded_at timestamptz NOT NULL,
    recorded_by uuid NOT NULL REFERENCES users (id),
    currency text NOT NULL,
    -- What the request names: of a disbursement the loan's amount; of a write-off and a reschedule the principal that they
    -- were about when they were recorded; of a reversal nothing.
    amount numeric CONSTRAINT transactions_amount CHECK (
        amount IS NULL OR is_money(amount, currency) AND (amount > 0 OR kind IN ('write_off', 'reschedule'))),
    -- Of a disbursement: its amount less the fees taken then.
    paid_out numeric,
    -- Of a charge and a waiver.
    component text CHECK (component IN ('penalty', 'fee', 'interest')),
    -- Of a charge: the lender's name for it, and when it falls due.
    code text CHECK (length(code) BETWEEN 1 AND 64),
    due_on date CHECK (due_on BETWEEN '1900-01-01' AND '2200-12-31'),
    -- Of a reschedule.
    from_due_on date,
    instalments integer CHECK (instalments BETWEEN 1 AND 600),
    interest_rate_apr numeric CHECK (interest_rate_apr BETWEEN 0 AND 1000 AND interest_rate_apr = round(interest_rate_apr, 6)),
    first_due_on date,
    reverses uuid,
    reference text CHECK (length(reference) BETWEEN 1 AND 200),
    channel text CHECK (length(channel) BETWEEN 1 AND 64),
    reason text CHECK (length(reason) BETWEEN 1 AND 1000),
    -- Those of one loan are recorded one after the other.
    CONSTRAINT transactions_in_order UNIQUE (loan_id, recorded_at),
    UNIQUE (loan_id, id),
    -- Reversed once, and within the loan.
    CONSTRAINT transactions_reversed_once UNIQUE (reverses),
    FOREIGN KEY (loan_id, reverses) REFERENCES transactions (loan_id, id)
);
CREATE TRIGGER transactions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transactions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A connection prepares this once, where it reads a CHECK of the table from the catalogue in every statement. Tables are looked
-- for in `public`: a temporary one of the same name would be found first.
CREATE FUNCTION check_transaction() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    loan record;
    reversed record;
BEGIN
    IF NOT (
        (NEW.amount IS NOT NULL) = (NEW.kind <> 'reversal')
        AND (NEW.paid_out IS NOT NULL) = (NEW.kind = 'disbursement')
        AND (NEW.component IS NOT NULL) = (NEW.kind IN ('charge', 'waiver'))
        AND (NEW.kind = 'charge') <= (NEW.component IS DISTINCT FROM 'interest')
        AND (NEW.code IS NOT NULL) = (NEW.kind = 'charge')
        AND (NEW.due_on IS NOT NULL) = (NEW.kind = 'charge')
        AND (NEW.from_due_on IS NOT NULL) = (NEW.kind = 'reschedule')
        AND (NEW.kind = 'reschedule' OR num_nonnulls(NEW.instalments, NEW.interest_rate_apr, NEW.first_due_on) = 0)
        AND (NEW.reverses IS NOT NULL) = (NEW.kind = 'reversal')
        AND (NEW.kind IN ('waiver', 'write_off', 'reschedule', 'reversal')) <= (NEW.reason IS NOT NULL)
        AND (NEW.reference IS NULL OR NEW.kind IN ('disbursement', 'repayment'))
        AND (NEW.channel IS NULL OR NEW.kind = 'repayment'))
    THEN
        RAISE EXCEPTION 'a % has what belongs to it and nothing else', NEW.kind
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transactions_shape';
    END IF;
    IF NOT (
        isfinite(NEW.recorded_at)
        -- Fees may be more than the loan: the borrower then pays in.
        AND (NEW.paid_out IS NULL OR is_sum(abs(NEW.paid_out), NEW.currency) AND NEW.paid_out <= NEW.amount)
        AND (NEW.from_due_on IS NULL OR NEW.from_due_on BETWEEN '1900-01-01' AND '2200-12-31')
        AND (NEW.first_due_on IS NULL OR NEW.first_due_on BETWEEN '1900-01-01' AND '2200-12-31'))
    THEN
        RAISE EXCEPTION 'dates are of the years 1900 to 2200, and at most the loan is paid out'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transactions_values';
    END IF;
    -- Until this transaction ends no other one changes the loan or is recorded for it.
    SELECT currency, status, amount, disbursed_on INTO loan FROM public.loans WHERE id = NEW.loan_id FOR NO KEY UPDATE;
    IF NEW.currency <> loan.currency THEN
        RAISE EXCEPTION 'a transaction is in the currency of its loan'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transactions_currency';
    END IF;
    IF (NEW.kind = 'disbursement') <> (loan.status = 'approved') OR loan.status NOT IN ('approved', 'disbursed', 'repaid', 'defaulted') THEN
        RAISE EXCEPTION 'a % loan takes no %', loan.status, NEW.kind
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transactions_loan_status';
    END IF;
    IF NEW.kind = 'disbursement' AND NEW.amount <> loan.amount THEN
        RAISE EXCEPTION 'the amount of the loan is disbursed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transactions_whole_amount';
    END IF;
    IF NEW.value_date < loan.disbursed_on THEN
        RAISE EXCEPTION 'nothing happens to a loan before its disbursement'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transactions_after_disbursement';
    END IF;
    -- Ordered, so that whatever the planner knows it takes the index in which the last one is a step away, not that by id.
    IF NEW.recorded_at <= (
        SELECT recorded_at FROM public.transactions WHERE loan_id = NEW.loan_id ORDER BY recorded_at DESC LIMIT 1) THEN
        RAISE EXCEPTION 'transactions of a loan are recorded one after the other'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transactions_recorded_later';
    END IF;
    IF NEW.kind = 'reversal' THEN
        SELECT kind, value_date INTO reversed FROM public.transactions WHERE id = NEW.reverses;
        IF NOT FOUND OR reversed.kind = 'reversal' OR reversed.value_date <> NEW.value_date THEN
            RAISE EXCEPTION 'a reversal has the value date of what it reverses, which was recorded before and is no reversal'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'transactions_reversal';
        END IF;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER transactions_check BEFORE INSERT ON transactions FOR EACH ROW EXECUTE FUNCTION check_transaction();

-- The chart of accounts. Each exists once in every currency.
CREATE TABLE ledger_accounts (
    code text PRIMARY KEY CHECK (code ~ '^[a-z_]{1,64}$'),
    name text NOT NULL,
    class text NOT NULL CHECK (class IN ('asset', 'liability', 'income', 'expense'))
);
INSERT INTO ledger_accounts (code, name, class) VALUES
    ('cash', 'Cash', 'asset'),
    ('principal_receivable', 'Principal receivable', 'asset'),
    ('overpayments_payable', 'Overpayments payable', 'liability'),
    ('interest_income', 'Interest income', 'income'),
    ('fee_income', 'Fee income', 'income'),
    ('penalty_income', 'Penalty income', 'income'),
    ('recoveries', 'Recoveries', 'income'),
    ('write_offs', 'Write-offs', 'expense');

-- The journal. A transaction makes an entry for each value date on which it changes what follows from all of them: one late
-- payment may make hundreds. So what must hold for them is checked once a statement rather than once a row. An entry comes
-- with its lines in one statement, and stands as it was made. Rows are looked up one by one, by subqueries that are no joins:
-- of a join the planner thinks that it costs less to read all of the journal, while that is small.
CREATE TABLE journal_entries (
    id uuid PRIMARY KEY,
    loan_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    currency text NOT NULL,
    value_date date NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT journal_entries_one_a_date UNIQUE (transaction_id, value_date)
);
CREATE TRIGGER journal_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE journal_lines (
    entry_id uuid NOT NULL,
    account text NOT NULL,
    debit numeric NOT NULL CHECK (debit >= 0),
    credit numeric NOT NULL CHECK (credit >= 0),
    PRIMARY KEY (entry_id, account),
    CONSTRAINT journal_lines_one_side CHECK ((debit > 0) <> (credit > 0))
);
CREATE TRIGGER journal_lines_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION check_journal_entries() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT transaction_id, loan_id, currency, recorded_at FROM made) made
        WHERE (loan_id, currency, recorded_at) IS DISTINCT FROM (
            SELECT (t.loan_id, t.currency, t.recorded_at) FROM public.transactions t WHERE t.id = made.transaction_id))
    THEN
        RAISE EXCEPTION 'an entry has a transaction of its loan, and was recorded with it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_entries_transaction';
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
CREATE TRIGGER journal_entries_check AFTER INSERT ON journal_entries REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION check_journal_entries();

CREATE FUNCTION check_journal_lines() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT currency, max(decimals) AS decimals, bool_or(unbalanced) AS unbalanced, bool_or(apart) AS apart
        FROM (
            SELECT (SELECT currency FROM public.journal_entries WHERE id = made.entry_id) AS currency,
                max(scale(trim_scale(debit + credit))) AS decimals,
                sum(debit - credit) <> 0 AS unbalanced,
                -- There were others before.
                count(*) <> (SELECT count(*) FROM public.journal_lines l WHERE l.entry_id = made.entry_id) AS apart
            FROM made GROUP BY entry_id) entries
        GROUP BY currency
    LOOP
        IF found.currency IS NULL OR found.apart THEN
            RAISE EXCEPTION 'lines come with their entry, all at once'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_lines_with_entry';
        END IF;
        IF found.decimals > currency_decimals(found.currency) THEN
            RAISE EXCEPTION '% has no such amount', found.currency
                USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_lines_decimals';
        END IF;
        IF found.unbalanced THEN
            RAISE EXCEPTION 'the debits of an entry are its credits'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_entries_balanced';
        END IF;
    END LOOP;
    IF EXISTS (SELECT account FROM made EXCEPT SELECT code FROM public.ledger_accounts) THEN
        RAISE EXCEPTION 'a line has an account of the chart'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_lines_account';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER journal_lines_check AFTER INSERT ON journal_lines REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION check_journal_lines();

-- Waits until every transaction that is open now has ended: whatever commits later is recorded later. Nobody waits for
-- whoever waits here.
CREATE FUNCTION await_open_transactions() RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    -- The ids of those that write already are before it.
    own xid8 := pg_current_xact_id();
BEGIN
    WHILE pg_snapshot_xmin(pg_current_snapshot()) < own LOOP
        PERFORM pg_sleep(0.002);
    END LOOP;
END
$$;

GRANT SELECT, INSERT ON transactions, journal_entries, journal_lines TO microloans_app;
GRANT SELECT ON ledger_accounts TO microloans_app;
