-- Rights of a person: what is held about somebody is shown to them, and taken out once nothing of theirs is open. What happened
-- stays as it was recorded: rows that are never changed hold ids alone. What tells who or where somebody is stands in tables
-- of its own, a row for each person it tells of, and goes from there.

-- Where requests came from, for entries of the audit log. The address is that of whoever acted; where nobody was logged in, of
-- the user whom the entry is about. Null: nobody whom we know.
CREATE TABLE audit_addresses (
    entry_id uuid PRIMARY KEY,
    person_id uuid REFERENCES users (id),
    address text NOT NULL CHECK (length(address) BETWEEN 1 AND 200)
);

-- Whose address an entry's is.
CREATE FUNCTION person_of_entry(actor_id uuid, subject text) RETURNS uuid
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
BEGIN
    RETURN CASE
        WHEN actor_id IS NOT NULL THEN actor_id
        WHEN subject ~ '^user:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN substr(subject, 6)::uuid
    END;
END
$$;

INSERT INTO audit_addresses (entry_id, person_id, address)
SELECT id, (SELECT u.id FROM users u WHERE u.id = person_of_entry(actor_id, subject)), left(address, 200)
FROM audit_log WHERE address <> '';
CREATE INDEX audit_addresses_by_person ON audit_addresses (person_id);

-- The log is written anew without them, so that they are not left on its pages. The column stays: functions of the release
-- before write it and read it.
ALTER TABLE audit_log
    ALTER COLUMN address TYPE text USING '',
    ALTER COLUMN address SET DEFAULT '',
    ADD CONSTRAINT audit_log_address_apart CHECK (address = '');

-- Takes the address of a new entry apart. One of an erased person is not kept: a request may have begun before the erasure,
-- which is waited for. As the owner: the functions' login adds no address to an entry in any other way.
CREATE FUNCTION keep_address_apart() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    person uuid := public.person_of_entry(NEW.actor_id, NEW.subject);
    person_status text;
BEGIN
    SELECT status INTO person_status FROM public.users WHERE id = person FOR KEY SHARE;
    IF person_status IS DISTINCT FROM 'erased' THEN
        INSERT INTO public.audit_addresses (entry_id, person_id, address)
        VALUES (NEW.id, CASE WHEN person_status IS NOT NULL THEN person END, left(NEW.address, 200));
    END IF;
    NEW.address := '';
    RETURN NEW;
END
$$;
-- A trigger on a table of one's own would call it too.
REVOKE ALL ON FUNCTION keep_address_apart() FROM PUBLIC;
CREATE TRIGGER audit_log_keep_address_apart BEFORE INSERT ON audit_log FOR EACH ROW WHEN (NEW.address <> '')
    EXECUTE FUNCTION keep_address_apart();

-- What e-mail address, telephone number and name were before they changed, and after. Of changes made until now nothing is known
-- but which of them changed.
CREATE TABLE contact_changes (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES users (id),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    by_id uuid NOT NULL REFERENCES users (id),
    field text NOT NULL CONSTRAINT contact_changes_field CHECK (field IN ('email', 'phone', 'full_name')),
    old_value text CHECK (length(old_value) <= 254),
    new_value text CHECK (length(new_value) <= 254),
    CONSTRAINT contact_changes_differ CHECK (old_value IS DISTINCT FROM new_value)
);
CREATE INDEX contact_changes_by_person ON contact_changes (person_id, at DESC, id DESC);

-- Rows of these tables stay as they were made, until their person is erased.
CREATE FUNCTION refuse_unless_erased() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.users WHERE id = OLD.person_id AND status = 'erased') THEN
        RAISE EXCEPTION '% keeps what it has of people who are not erased', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'append_only';
    END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER audit_addresses_append_only BEFORE UPDATE OR TRUNCATE ON audit_addresses
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_addresses_keep BEFORE DELETE ON audit_addresses FOR EACH ROW EXECUTE FUNCTION refuse_unless_erased();
CREATE TRIGGER contact_changes_append_only BEFORE UPDATE OR TRUNCATE ON contact_changes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contact_changes_keep BEFORE DELETE ON contact_changes FOR EACH ROW EXECUTE FUNCTION refuse_unless_erased();

-- Nothing is added of a person who is erased. An erasure that is under way is waited for.
CREATE FUNCTION check_contact_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    person_status text;
BEGIN
    SELECT status INTO person_status FROM public.users WHERE id = NEW.person_id FOR KEY SHARE;
    IF person_status = 'erased' THEN
        RAISE EXCEPTION 'nothing is kept of a person who is erased'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'contact_changes_of_erased';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER contact_changes_check BEFORE INSERT ON contact_changes FOR EACH ROW EXECUTE FUNCTION check_contact_change();

-- An erased user is an id, a role and two instants: no name, no way to reach or to know anyone, no password.
ALTER TABLE users
    ALTER COLUMN email DROP NOT NULL,
    ALTER COLUMN phone DROP NOT NULL,
    ALTER COLUMN password_hash DROP NOT NULL,
    DROP CONSTRAINT users_status,
    ADD CONSTRAINT users_status CHECK (
        status IN ('active', 'suspended', 'erased') OR (role = 'agent' AND status IN ('pending', 'rejected'))),
    ADD CONSTRAINT users_erased CHECK (
        CASE WHEN status = 'erased'
            THEN username ~ '^erased-[0-9]{12}$' AND num_nonnulls(email, phone, full_name, password_hash) = 0
            ELSE num_nulls(email, phone, password_hash) = 0 END);

-- As before, and: only the owner erases, which is what `erase_person` runs as, and an erased user stays as it is.
CREATE OR REPLACE FUNCTION check_user_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    is_erasure boolean := NEW.status = 'erased' AND OLD.status <> 'erased';
BEGIN
    IF OLD.status = 'erased' THEN
        RAISE EXCEPTION 'an erased user stays as it is' USING ERRCODE = 'check_violation', CONSTRAINT = 'users_erased_stay';
    END IF;
    IF (NEW.id, NEW.role, NEW.created_at) IS DISTINCT FROM (OLD.id, OLD.role, OLD.created_at)
        OR NEW.username <> OLD.username AND NOT is_erasure
    THEN
        RAISE EXCEPTION 'a user keeps id, username, role and time of creation'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'users_fixed';
    END IF;
    IF is_erasure AND current_user <> (
        SELECT pg_catalog.pg_get_userbyid(relowner) FROM pg_catalog.pg_class WHERE oid = TG_RELID)
    THEN
        RAISE EXCEPTION 'erase_person erases' USING ERRCODE = 'check_violation', CONSTRAINT = 'users_erased_whole';
    END IF;
    IF NOT is_erasure AND NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
        ('pending', 'active'), ('pending', 'rejected'), ('rejected', 'active'),
        ('active', 'suspended'), ('suspended', 'active')
    ) THEN
        RAISE EXCEPTION 'a user does not go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'users_status_transition';
    END IF;
    RETURN NEW;
END
$$;
CREATE FUNCTION check_user_creation() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'nobody is made erased' USING ERRCODE = 'check_violation', CONSTRAINT = 'users_erased_whole';
END
$$;
CREATE TRIGGER users_check_creation BEFORE INSERT ON users FOR EACH ROW WHEN (NEW.status = 'erased')
    EXECUTE FUNCTION check_user_creation();

-- No loan of an erased person is open, neither a new one nor one that a step or a reversal opens again. The borrower's row is
-- what this and an erasure wait for each other at.
CREATE FUNCTION check_borrower() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    borrower_status text;
BEGIN
    SELECT status INTO borrower_status FROM public.users WHERE id = NEW.borrower_id FOR KEY SHARE;
    IF borrower_status = 'erased' THEN
        RAISE EXCEPTION 'an erased person has no open loan'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'loans_borrower_erased';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER loans_check_new_borrower BEFORE INSERT ON loans FOR EACH ROW
    WHEN (NEW.status IN ('pending', 'approved', 'disbursed')) EXECUTE FUNCTION check_borrower();
CREATE TRIGGER loans_check_reopened_borrower BEFORE UPDATE ON loans FOR EACH ROW
    WHEN (NEW.status IN ('pending', 'approved', 'disbursed') AND OLD.status NOT IN ('pending', 'approved', 'disbursed'))
    EXECUTE FUNCTION check_borrower();

-- Erases a person: takes out of every table what tells who or where they are. Later tables with such rows add a line here. What
-- stays: ids, amounts, dates, references and reasons.
--
-- The new name is `erased-` and 12 digits, at random unless it is given. Locks are taken as commands take them: users in the
-- order of their ids, then loans, so that payments under way are waited for, then the person against everybody who refers to
-- them, such as a new loan. After that nothing opens any more, and it is looked once more, each statement seeing what was
-- committed before it: hence no other isolation.
--
-- Tables are small in most databases where this is tried first, and read by their indexes all the same.
CREATE FUNCTION erase_person(person uuid, new_name text DEFAULT NULL, erased_at timestamptz DEFAULT clock_timestamp())
    RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
    AS $$
DECLARE
    who record;
    made_name text := new_name;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a person is erased at READ COMMITTED'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'erase_read_committed';
    END IF;
    PERFORM FROM public.users WHERE id = person OR (role = 'admin' AND status = 'active') ORDER BY id FOR NO KEY UPDATE;
    PERFORM FROM public.loans WHERE borrower_id = person ORDER BY id FOR UPDATE;
    SELECT username, role, status INTO who FROM public.users WHERE id = person FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no such person' USING ERRCODE = 'check_violation', CONSTRAINT = 'erase_known';
    END IF;
    IF who.status = 'erased' THEN
        RAISE EXCEPTION 'a person is erased once' USING ERRCODE = 'check_violation', CONSTRAINT = 'erase_once';
    END IF;
    IF (who.role, who.status) = ('admin', 'active') AND NOT EXISTS (
        SELECT FROM public.users WHERE role = 'admin' AND status = 'active' AND id <> person)
    THEN
        RAISE EXCEPTION 'the last active admin stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'erase_last_admin';
    END IF;
    IF EXISTS (
        SELECT FROM public.loans WHERE borrower_id = person AND status IN ('pending', 'approved', 'disbursed'))
        OR EXISTS (
            SELECT FROM public.loans l CROSS JOIN LATERAL (
                SELECT sum(j.credit - j.debit) AS held, max(e.value_date) AS until
                FROM public.transactions t
                JOIN public.journal_entries e ON e.transaction_id = t.id
                JOIN public.journal_lines j ON j.entry_id = e.id AND j.account = 'overpayments_payable'
                WHERE t.loan_id = l.id) AS overpaid
            -- What is held today may be meant for a day to come. Tomorrow has begun where today is ahead of UTC.
            WHERE l.borrower_id = person
                AND (overpaid.held <> 0 OR overpaid.until > (clock_timestamp() AT TIME ZONE 'UTC')::date + 1))
    THEN
        RAISE EXCEPTION 'a loan is open, or money is held' USING ERRCODE = 'check_violation', CONSTRAINT = 'erase_loans_open';
    END IF;

    WHILE made_name IS NULL LOOP
        -- Random bits of a random id: its first 48.
        made_name := 'erased-' || lpad((
            ('x' || left(replace(gen_random_uuid()::text, '-', ''), 12))::bit(48)::bigint % 1000000000000)::text, 12, '0');
        IF EXISTS (SELECT FROM public.users WHERE username = made_name) THEN
            made_name := NULL;
        END IF;
    END LOOP;
    UPDATE public.users SET username = made_name, email = NULL, phone = NULL, full_name = NULL, password_hash = NULL,
        status = 'erased', updated_at = greatest(updated_at, erased_at)
    WHERE id = person;
    DELETE FROM public.sessions WHERE user_id = person;
    DELETE FROM public.contact_changes WHERE person_id = person;
    DELETE FROM public.audit_addresses WHERE person_id = person;
    -- Answers that are kept to be given again: nobody asks for the person's own any more, and those of others about a loan of
    -- theirs get the new name.
    DELETE FROM public.idempotency_keys WHERE caller_id = person;
    UPDATE public.idempotency_keys k SET body = replace(body,
        '"borrower_username":"' || who.username || '"', '"borrower_username":"' || made_name || '"')
    FROM public.loans l
    WHERE l.borrower_id = person AND k.caller_id = l.created_by AND k.operation = 'POST /api/loans'
        AND k.location = '/api/loans/' || l.id;
    RETURN made_name;
END
$$;
REVOKE ALL ON FUNCTION erase_person(uuid, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_person(uuid, text, timestamptz) TO microloans_app;

GRANT SELECT ON audit_addresses, contact_changes TO microloans_app;
-- When it was is not for the functions to say.
GRANT INSERT (id, person_id, by_id, field, old_value, new_value) ON contact_changes TO microloans_app;
