-- Entries that put right what an earlier release posted: they name the last transaction of the loan, and were recorded after
-- it. That one may have entries of its own on the same value dates.
--
-- The index comes first: while it is built, readers do not wait.
CREATE UNIQUE INDEX journal_entries_one_a_moment ON journal_entries (transaction_id, value_date, recorded_at);
ALTER TABLE journal_entries
    ADD COLUMN restates boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT journal_entries_one_a_date,
    ADD CONSTRAINT journal_entries_one_a_date UNIQUE USING INDEX journal_entries_one_a_moment;
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
