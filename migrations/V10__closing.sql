-- What a loan holds for its borrower, and first due dates that come with the disbursement.

-- Steps, as `owed_on` and `owed` are: from a day on so much is held. Time moves it where a charge that falls due later is paid
-- by it, so that one amount would go stale; none where nothing is held and nothing will be paid by it.
ALTER TABLE loans
    ADD COLUMN held_on date[] NOT NULL DEFAULT '{}',
    ADD COLUMN held numeric[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT loans_held CHECK (cardinality(held_on) = cardinality(held));

GRANT UPDATE (held_on, held) ON loans TO microloans_app;

-- What the journal says is held, and what it will pay on days to come.
WITH moved AS (
    SELECT e.loan_id, e.value_date, sum(l.credit - l.debit) AS amount
    FROM journal_entries e JOIN journal_lines l ON l.entry_id = e.id
    WHERE l.account = 'overpayments_payable'
    GROUP BY e.loan_id, e.value_date
    HAVING sum(l.credit - l.debit) <> 0),
steps AS (
    SELECT loan_id, value_date, sum(amount) OVER (PARTITION BY loan_id ORDER BY value_date) AS held FROM moved),
kept AS (
    -- The last step up to today stands for all before it.
    SELECT DISTINCT ON (loan_id) loan_id, true AS is_past, value_date, held FROM steps
    WHERE value_date <= current_date ORDER BY loan_id, value_date DESC),
all_steps AS (
    SELECT loan_id, (SELECT disbursed_on FROM loans WHERE id = loan_id) AS held_on, held FROM kept
    UNION ALL
    SELECT loan_id, value_date, held FROM steps WHERE value_date > current_date),
arrays AS (
    SELECT loan_id, array_agg(held_on ORDER BY held_on) AS held_on, array_agg(held ORDER BY held_on) AS held
    FROM all_steps GROUP BY loan_id HAVING bool_or(held <> 0))
UPDATE loans SET held_on = arrays.held_on, held = arrays.held FROM arrays WHERE loans.id = arrays.loan_id;

-- As before, but that a disbursement may name its first due date.
CREATE OR REPLACE FUNCTION check_transaction() RETURNS trigger
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
        AND (NEW.kind = 'reschedule' OR num_nonnulls(NEW.instalments, NEW.interest_rate_apr) = 0)
        AND (NEW.kind IN ('disbursement', 'reschedule') OR NEW.first_due_on IS NULL)
        AND (NEW.kind = 'disbursement') <= (NEW.first_due_on IS NULL OR NEW.first_due_on > NEW.value_date)
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
