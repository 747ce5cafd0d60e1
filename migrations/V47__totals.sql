-- The figures of a day are a few rows, however old the book is and however much has happened since the scheduled function
-- last ran.

-- The days up to which the book is summed up: every eighth that has come, made by the scheduled function.
CREATE TABLE book_marks (
    before date PRIMARY KEY
);

-- The sums of everything before a mark. What is zero need not be there.
CREATE TABLE book_totals (
    before date NOT NULL REFERENCES book_marks (before) ON DELETE CASCADE,
    currency text NOT NULL,
    status text NOT NULL,
    loans bigint NOT NULL,
    amount numeric NOT NULL,
    disbursed numeric NOT NULL,
    repaid numeric NOT NULL,
    outstanding numeric NOT NULL,
    past_due numeric NOT NULL,
    PRIMARY KEY (before, currency, status)
);
GRANT SELECT, INSERT ON book_marks, book_totals TO microloans_app;

-- Whoever changes the sums of days changes every total that they are in: functions of the release before, too, which know
-- of no totals. As the owner, so that the functions' login changes a total in no other way.
DO $do$
DECLARE
    event record;
BEGIN
    FOR event IN
        SELECT * FROM (VALUES
            ('insert', 'NEW TABLE AS added', 'SELECT 1 AS sign, * FROM added'),
            ('update', 'OLD TABLE AS taken NEW TABLE AS added',
                'SELECT 1 AS sign, * FROM added UNION ALL SELECT -1, * FROM taken'),
            ('delete', 'OLD TABLE AS taken', 'SELECT -1 AS sign, * FROM taken')) AS event (name, tables, changed)
    LOOP
        EXECUTE format($create$
            CREATE FUNCTION total_after_%1$s() RETURNS trigger
                LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                AS $body$
            BEGIN
                INSERT INTO public.book_totals AS t
                    (before, currency, status, loans, amount, disbursed, repaid, outstanding, past_due)
                SELECT m.before, c.currency, c.status, sum(c.sign * c.loans), sum(c.sign * c.amount),
                    sum(c.sign * c.disbursed), sum(c.sign * c.repaid), sum(c.sign * c.outstanding),
                    sum(c.sign * c.past_due)
                FROM (%3$s) c JOIN public.book_marks m ON m.before > c.on_date
                GROUP BY m.before, c.currency, c.status
                ON CONFLICT (before, currency, status) DO UPDATE SET
                    loans = t.loans + excluded.loans, amount = t.amount + excluded.amount,
                    disbursed = t.disbursed + excluded.disbursed, repaid = t.repaid + excluded.repaid,
                    outstanding = t.outstanding + excluded.outstanding, past_due = t.past_due + excluded.past_due;
                RETURN NULL;
            END
            $body$;
            REVOKE ALL ON FUNCTION total_after_%1$s() FROM PUBLIC;
            CREATE TRIGGER book_days_total_after_%1$s AFTER %1$s ON book_days REFERENCING %2$s
                FOR EACH STATEMENT EXECUTE FUNCTION total_after_%1$s();
            $create$, event.name, event.tables, event.changed);
    END LOOP;
END
$do$;

CREATE FUNCTION forget_totals() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    DELETE FROM public.book_marks;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION forget_totals() FROM PUBLIC;
CREATE TRIGGER book_days_forget_totals AFTER TRUNCATE ON book_days
    FOR EACH STATEMENT EXECUTE FUNCTION forget_totals();

-- Adds up what has changed: moves at most so many rows of each kind of change into the sums beside them. Returns whether
-- there may be more. Where somebody else adds up, or makes the figures anew, it does nothing and returns false: a command
-- that adds up as it goes waits for nobody.
CREATE FUNCTION add_up(most integer) RETURNS boolean
    LANGUAGE plpgsql SET search_path = public, pg_temp
    AS $$
DECLARE
    moved bigint;
    more boolean := false;
BEGIN
    IF NOT pg_try_advisory_xact_lock(7426184529) THEN
        RETURN false;
    END IF;
    BEGIN
        LOCK TABLE book_days, book_months, exposures, agent_days, account_days, account_months
            IN ROW EXCLUSIVE MODE NOWAIT;
    EXCEPTION WHEN lock_not_available THEN
        RETURN false;
    END;

    WITH moved AS (
        DELETE FROM book_changes WHERE ctid = ANY (ARRAY(SELECT ctid FROM book_changes LIMIT most)) RETURNING *),
    changed AS (
        SELECT on_date, currency, status, sum(loans)::int8 AS loans, sum(amount) AS amount, sum(disbursed) AS disbursed,
            sum(repaid) AS repaid, sum(outstanding) AS outstanding, sum(past_due) AS past_due
        FROM moved GROUP BY on_date, currency, status),
    summed AS (
        INSERT INTO book_days AS s (on_date, currency, status, loans, amount, disbursed, repaid, outstanding, past_due)
        SELECT * FROM changed
        ON CONFLICT (on_date, currency, status) DO UPDATE SET
            loans = s.loans + excluded.loans, amount = s.amount + excluded.amount,
            disbursed = s.disbursed + excluded.disbursed, repaid = s.repaid + excluded.repaid,
            outstanding = s.outstanding + excluded.outstanding, past_due = s.past_due + excluded.past_due),
    months AS (
        INSERT INTO book_months AS s (on_date, currency, status, loans, amount, disbursed, repaid, outstanding, past_due)
        SELECT date_trunc('month', on_date)::date, currency, status, sum(loans)::int8, sum(amount), sum(disbursed),
            sum(repaid), sum(outstanding), sum(past_due)
        FROM changed GROUP BY 1, 2, 3
        ON CONFLICT (on_date, currency, status) DO UPDATE SET
            loans = s.loans + excluded.loans, amount = s.amount + excluded.amount,
            disbursed = s.disbursed + excluded.disbursed, repaid = s.repaid + excluded.repaid,
            outstanding = s.outstanding + excluded.outstanding, past_due = s.past_due + excluded.past_due)
    SELECT count(*) INTO moved FROM moved;
    more := more OR moved = most;

    WITH moved AS (
        DELETE FROM exposure_changes WHERE ctid = ANY (ARRAY(SELECT ctid FROM exposure_changes LIMIT most)) RETURNING *),
    summed AS (
        INSERT INTO exposures AS s (grouped_by, group_name, currency, oldest_unpaid_due_on, loans, outstanding)
        SELECT grouped_by, group_name, currency, oldest_unpaid_due_on, sum(loans)::int8, sum(outstanding)
        FROM moved GROUP BY grouped_by, group_name, currency, oldest_unpaid_due_on
        ON CONFLICT (grouped_by, oldest_unpaid_due_on, currency, group_name) DO UPDATE SET
            loans = s.loans + excluded.loans, outstanding = s.outstanding + excluded.outstanding)
    SELECT count(*) INTO moved FROM moved;
    more := more OR moved = most;

    WITH moved AS (
        DELETE FROM agent_changes WHERE ctid = ANY (ARRAY(SELECT ctid FROM agent_changes LIMIT most)) RETURNING *),
    summed AS (
        INSERT INTO agent_days AS s (agent_id, on_date, currency, requests, approved, rejected, disbursed, collected)
        SELECT agent_id, on_date, currency, sum(requests)::int8, sum(approved)::int8, sum(rejected)::int8,
            sum(disbursed), sum(collected)
        FROM moved GROUP BY agent_id, on_date, currency
        ON CONFLICT (agent_id, on_date, currency) DO UPDATE SET
            requests = s.requests + excluded.requests, approved = s.approved + excluded.approved,
            rejected = s.rejected + excluded.rejected, disbursed = s.disbursed + excluded.disbursed,
            collected = s.collected + excluded.collected)
    SELECT count(*) INTO moved FROM moved;
    more := more OR moved = most;

    WITH moved AS (
        DELETE FROM account_changes WHERE ctid = ANY (ARRAY(SELECT ctid FROM account_changes LIMIT most)) RETURNING *),
    changed AS (
        SELECT on_date, currency, account, sum(debit) AS debit, sum(credit) AS credit
        FROM moved GROUP BY on_date, currency, account),
    summed AS (
        INSERT INTO account_days AS s (on_date, currency, account, debit, credit) SELECT * FROM changed
        ON CONFLICT (on_date, currency, account) DO UPDATE SET
            debit = s.debit + excluded.debit, credit = s.credit + excluded.credit),
    months AS (
        INSERT INTO account_months AS s (on_date, currency, account, debit, credit)
        SELECT date_trunc('month', on_date)::date, currency, account, sum(debit), sum(credit) FROM changed GROUP BY 1, 2, 3
        ON CONFLICT (on_date, currency, account) DO UPDATE SET
            debit = s.debit + excluded.debit, credit = s.credit + excluded.credit)
    SELECT count(*) INTO moved FROM moved;
    RETURN more OR moved = most;
END
$$;

GRANT EXECUTE ON FUNCTION add_up(integer) TO microloans_app;

-- What is moved leaves room that is to be found again soon: a figure reads these tables whole.
ALTER TABLE book_changes SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
ALTER TABLE exposure_changes SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
ALTER TABLE agent_changes SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
ALTER TABLE account_changes SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
