-- What a function that was taken over could still pretend, the database refuses too: a history that is not the loan's, a
-- time that is not now, a decision that nobody could take. Each check is a trigger of its own, in PL/pgSQL, that looks up a
-- row or two by their key, and only where something of its concern is written.

-- Whether rows come from who owns their table: migrations, demo data and restored books bring times that have passed. Asked
-- only where a row would be refused else.
CREATE FUNCTION comes_from_owner(of regclass) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM pg_catalog.pg_class WHERE oid = of AND pg_catalog.pg_get_userbyid(relowner) = current_user);
END
$$;

-- A version is what its loan is when it is recorded. That is what it still is at the commit: the rules of `loans` change
-- nothing of it without the next version, and no version is left out. What money led to is approved here.
CREATE FUNCTION check_loan_version() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.loans l
        WHERE l.id = NEW.loan_id AND l.version = NEW.version
            AND NEW.status = CASE WHEN l.status IN ('disbursed', 'repaid', 'defaulted') THEN 'approved' ELSE l.status END
            AND NEW.amount = l.amount AND NEW.currency = l.currency AND NEW.terms = l.terms
            AND NEW.product_code = l.product_code AND NEW.product_version = l.product_version
            AND NEW.agent_id IS NOT DISTINCT FROM l.agent_id
            AND (NEW.instalment, NEW.total_interest, NEW.total_due) = (l.instalment, l.total_interest, l.total_due)
            AND NEW.at = l.updated_at AND (NEW.version > 1 OR NEW.at = l.created_at))
    THEN
        RAISE EXCEPTION 'a version is what its loan is'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'loan_versions_of_loan';
    END IF;
    -- A later version is at most as late as its loan may be: see below.
    IF (NEW.at < now() OR NEW.version = 1 AND NEW.at > clock_timestamp()) AND NOT public.comes_from_owner(TG_RELID) THEN
        RAISE EXCEPTION 'a step is taken now' USING ERRCODE = 'check_violation', CONSTRAINT = 'loan_versions_now';
    END IF;
    IF NEW.version > 1 AND NOT EXISTS (
        SELECT FROM public.loan_versions WHERE loan_id = NEW.loan_id AND version = NEW.version - 1)
    THEN
        RAISE EXCEPTION 'no version is left out'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'loan_versions_no_gap';
    END IF;
    RETURN NULL;
END
$$;
-- After the row is there, so that a version that is there already is told as such.
CREATE TRIGGER loan_versions_check AFTER INSERT ON loan_versions FOR EACH ROW EXECUTE FUNCTION check_loan_version();

-- The same for products.
CREATE FUNCTION check_product_version() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.products p
        WHERE p.code = NEW.code AND p.version = NEW.version AND p.name = NEW.name AND p.currency = NEW.currency
            AND p.min_amount = NEW.min_amount AND p.max_amount = NEW.max_amount
            AND p.min_instalments = NEW.min_instalments AND p.max_instalments = NEW.max_instalments
            AND p.min_rate_apr = NEW.min_rate_apr AND p.max_rate_apr = NEW.max_rate_apr
            AND p.is_default = NEW.is_default AND p.active = NEW.active AND p.terms = NEW.terms)
    THEN
        RAISE EXCEPTION 'a version is what its product is'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'product_versions_of_product';
    END IF;
    IF (NEW.at < now() OR NEW.at > clock_timestamp()) AND NOT public.comes_from_owner(TG_RELID) THEN
        RAISE EXCEPTION 'a product is changed now' USING ERRCODE = 'check_violation', CONSTRAINT = 'product_versions_now';
    END IF;
    IF NEW.version > 1 AND NOT EXISTS (
        SELECT FROM public.product_versions WHERE code = NEW.code AND version = NEW.version - 1)
    THEN
        RAISE EXCEPTION 'no version is left out'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'product_versions_no_gap';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER product_versions_check AFTER INSERT ON product_versions
    FOR EACH ROW EXECUTE FUNCTION check_product_version();

-- A loan changes now: between the start of the transaction and this moment. Or, where a clock was put back, the smallest step
-- after its last change.
CREATE FUNCTION check_loan_time() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF (NEW.updated_at < now() OR NEW.updated_at > clock_timestamp())
        AND NEW.updated_at <> OLD.updated_at + interval '1 microsecond'
        AND NOT public.comes_from_owner(TG_RELID)
    THEN
        RAISE EXCEPTION 'a loan changes now' USING ERRCODE = 'check_violation', CONSTRAINT = 'loans_updated_at';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER loans_check_time BEFORE UPDATE ON loans FOR EACH ROW
    WHEN (NEW.updated_at <> OLD.updated_at) EXECUTE FUNCTION check_loan_time();

-- The same for what is recorded of its money, and what follows from that in the journal.
CREATE FUNCTION check_transaction_time() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF (NEW.recorded_at < now() OR NEW.recorded_at > clock_timestamp())
        AND NEW.recorded_at <> (SELECT updated_at + interval '1 microsecond' FROM public.loans WHERE id = NEW.loan_id)
        AND NOT public.comes_from_owner(TG_RELID)
    THEN
        RAISE EXCEPTION 'a transaction is recorded now'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transactions_recorded_now';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER transactions_check_time BEFORE INSERT ON transactions FOR EACH ROW EXECUTE FUNCTION check_transaction_time();

-- A transaction has its entries from the database transaction that recorded it, or never.
CREATE OR REPLACE FUNCTION check_journal_entries() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT transaction_id, loan_id, currency, recorded_at FROM made) made
        WHERE (loan_id, currency, recorded_at, pg_current_xact_id()::xid) IS DISTINCT FROM (
            SELECT (t.loan_id, t.currency, t.recorded_at, t.xmin) FROM public.transactions t WHERE t.id = made.transaction_id))
    THEN
        RAISE EXCEPTION 'an entry has a transaction of its loan, and is recorded with it'
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

-- What is done is in the log when it is done.
CREATE FUNCTION check_audit_time() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF (NEW.at < now() OR NEW.at > clock_timestamp()) AND NOT public.comes_from_owner(TG_RELID) THEN
        RAISE EXCEPTION 'an entry of the log is of now' USING ERRCODE = 'check_violation', CONSTRAINT = 'audit_log_now';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER audit_log_check_time BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION check_audit_time();

-- An admin decides, now, and neither the borrower nor who made the application or last changed it; the one who last changed
-- it is who did so before the decision.
CREATE FUNCTION check_loan_decision() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    is_edit boolean := NEW.version <> OLD.version AND OLD.status IN ('pending', 'rejected') AND NEW.status = 'pending';
    is_decision boolean := NEW.version <> OLD.version AND NEW.status IN ('approved', 'rejected');
BEGIN
    IF NEW.decided_by IN (NEW.borrower_id, NEW.created_by, OLD.edited_by, NEW.edited_by) THEN
        RAISE EXCEPTION 'nobody decides on what is theirs or what they last changed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'loans_decided_by_another';
    END IF;
    IF NEW.edited_by <> OLD.edited_by AND NOT is_edit THEN
        RAISE EXCEPTION 'who last changed an application is named by the change'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'loans_edited_by';
    END IF;
    IF NEW.decided_by IS NOT NULL AND (is_decision OR NEW.decided_by IS DISTINCT FROM OLD.decided_by)
        AND NOT EXISTS (SELECT FROM public.users WHERE id = NEW.decided_by AND role = 'admin')
    THEN
        RAISE EXCEPTION 'an admin decides' USING ERRCODE = 'check_violation', CONSTRAINT = 'loans_decided_by_admin';
    END IF;
    IF NEW.decided_at IS NOT NULL AND (is_decision OR NEW.decided_at IS DISTINCT FROM OLD.decided_at)
        AND (NEW.decided_at < now() OR NEW.decided_at > greatest(clock_timestamp(), NEW.updated_at))
        AND NOT public.comes_from_owner(TG_RELID)
    THEN
        RAISE EXCEPTION 'a decision is taken now' USING ERRCODE = 'check_violation', CONSTRAINT = 'loans_decided_now';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER loans_check_decider BEFORE UPDATE ON loans FOR EACH ROW
    WHEN (NEW.version <> OLD.version OR NEW.edited_by <> OLD.edited_by
        OR (NEW.decided_by, NEW.decided_at) IS DISTINCT FROM (OLD.decided_by, OLD.decided_at))
    EXECUTE FUNCTION check_loan_decision();

-- Large objects belong to nobody's table, and everybody may make them. The right to is taken away where these functions are
-- the owner's to take it from: not on managed servers. There the consistency check counts what should not be.
DO $$
DECLARE
    callable record;
BEGIN
    FOR callable IN
        SELECT oid::regprocedure::text AS name FROM pg_catalog.pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace
            AND proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import', 'lo_export', 'lo_open', 'lo_put', 'lo_truncate',
                'lo_truncate64', 'lo_unlink', 'lowrite')
            AND (pg_has_role(proowner, 'USAGE')
                OR EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = current_user AND rolsuper))
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION pg_catalog.%s FROM PUBLIC', callable.name);
    END LOOP;
END
$$;
