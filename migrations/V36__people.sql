-- People as a lender meets them: customers whom an agent enrols, what proves who they are, whose customers they are; and the
-- names that other systems have for users, products and loans.

-- True of a text map that every client can hold: at most 20 pairs, keys of 1 to 40 characters, texts of at most 500.
CREATE FUNCTION is_metadata(given jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
BEGIN
    RETURN jsonb_typeof(given) = 'object'
        AND (SELECT count(*) FROM jsonb_object_keys(given)) <= 20
        AND NOT EXISTS (
            SELECT FROM jsonb_each(given)
            WHERE key !~ '^[a-zA-Z0-9_.-]{1,40}$' OR jsonb_typeof(value) <> 'string' OR length(value #>> '{}') > 500);
END
$$;

-- Constraints are held to of rows that are there by the next file: readers wait for this one.
ALTER TABLE users
    ADD COLUMN external_id text,
    ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}',
    -- The agent whose customer this is; null for none.
    ADD COLUMN agent_id uuid,
    ADD COLUMN kyc_status text NOT NULL DEFAULT 'unverified',
    ADD COLUMN kyc_by uuid,
    ADD COLUMN kyc_at timestamptz,
    ADD COLUMN kyc_reason text,
    ADD COLUMN kyc_expires_on date,
    ADD CONSTRAINT users_external_id_form CHECK (length(external_id) BETWEEN 1 AND 100) NOT VALID,
    ADD CONSTRAINT users_metadata_form CHECK (metadata = '{}' OR is_metadata(metadata)) NOT VALID,
    ADD CONSTRAINT users_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES users (id) NOT VALID,
    ADD CONSTRAINT users_agent_of_customer CHECK (agent_id IS NULL OR role = 'customer') NOT VALID,
    ADD CONSTRAINT users_kyc_by_fkey FOREIGN KEY (kyc_by) REFERENCES users (id) NOT VALID,
    ADD CONSTRAINT users_kyc CHECK (
        CASE WHEN kyc_status = 'unverified' THEN num_nonnulls(kyc_by, kyc_at, kyc_reason, kyc_expires_on) = 0
            ELSE kyc_status IN ('verified', 'refused') AND role = 'customer' AND num_nulls(kyc_by, kyc_at) = 0
                AND kyc_by <> id AND (kyc_expires_on IS NULL OR kyc_status = 'verified') END
        AND length(kyc_reason) BETWEEN 1 AND 1000) NOT VALID,
    -- A customer can be reached in one way at least, or is known to another system. Who works for the lender has both an e-mail
    -- address and a telephone number. Without a password nobody logs in.
    DROP CONSTRAINT users_erased,
    ADD CONSTRAINT users_erased CHECK (
        CASE WHEN status = 'erased'
            THEN username ~ '^erased-[0-9]{12}$' AND metadata = '{}'
                AND num_nonnulls(email, phone, full_name, password_hash, external_id, agent_id, kyc_reason) = 0
            WHEN role = 'customer' THEN num_nonnulls(email, phone, external_id) > 0
            ELSE num_nulls(email, phone) = 0 END) NOT VALID;
GRANT UPDATE (external_id, metadata, agent_id, kyc_status, kyc_by, kyc_at, kyc_reason, kyc_expires_on) ON users TO microloans_app;

ALTER TABLE products
    ADD COLUMN external_id text,
    ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}',
    -- True if a loan is approved and paid out only to who was verified.
    ADD COLUMN requires_kyc boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT products_external_id_form CHECK (length(external_id) BETWEEN 1 AND 100),
    ADD CONSTRAINT products_metadata_form CHECK (metadata = '{}' OR is_metadata(metadata));
-- Functions of the release before make versions without it.
ALTER TABLE product_versions ADD COLUMN requires_kyc boolean NOT NULL DEFAULT false;
GRANT UPDATE (external_id, metadata, requires_kyc) ON products TO microloans_app;

ALTER TABLE loans
    ADD COLUMN external_id text,
    ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}',
    -- The agents that the loan had before it was assigned to others, each with the instant at which that was; null for none. To whom
    -- figures of money count follows from them.
    ADD COLUMN agents_until timestamptz[] NOT NULL DEFAULT '{}',
    ADD COLUMN agents_before uuid[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT loans_external_id_form CHECK (length(external_id) BETWEEN 1 AND 100) NOT VALID,
    ADD CONSTRAINT loans_metadata_form CHECK (metadata = '{}' OR is_metadata(metadata)) NOT VALID,
    ADD CONSTRAINT loans_agents CHECK (cardinality(agents_until) = cardinality(agents_before)) NOT VALID;
GRANT UPDATE (external_id, metadata, agents_until, agents_before) ON loans TO microloans_app;

-- As before, and: names of another system, and whose loan it is, change in every state and make no version.
CREATE OR REPLACE FUNCTION check_loan_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    -- Steps of the application make a version each; money makes none.
    is_step boolean := NEW.version <> OLD.version;
    -- What neither steps nor money are about. Of these an assignment alone moves the time.
    beside text[] := '{external_id, metadata, agent_id, agents_until, agents_before, updated_at, stated_at}';
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
    ) AND NOT (OLD.status = NEW.status AND OLD.updated_at = NEW.updated_at AND public.comes_from_owner(TG_RELID))
        AND NOT ((to_jsonb(NEW) - beside) = (to_jsonb(OLD) - beside)
            AND (NEW.updated_at = OLD.updated_at OR NEW.agents_until <> OLD.agents_until))
    THEN
        RAISE EXCEPTION 'a loan does not go from % to % (version % to %)', OLD.status, NEW.status, OLD.version, NEW.version
            USING ERRCODE = 'check_violation', CONSTRAINT = 'loans_transition';
    END IF;
    IF ((NEW.amount, NEW.product_code, NEW.product_version) IS DISTINCT FROM (OLD.amount, OLD.product_code, OLD.product_version)
        OR NEW.terms <> OLD.terms AND public.complete_terms(NEW.terms) <> public.complete_terms(OLD.terms))
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

-- A loan goes from one agent to another: what it was is kept, in the row and in its history.
CREATE FUNCTION check_loan_assignment() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NEW.version <> OLD.version OR NEW.agent_id IS NOT DISTINCT FROM OLD.agent_id OR NEW.updated_at <= OLD.updated_at
        OR NEW.agents_until <> array_append(OLD.agents_until, NEW.updated_at)
        OR NEW.agents_before IS DISTINCT FROM array_append(OLD.agents_before, OLD.agent_id)
        OR NOT EXISTS (SELECT FROM public.users WHERE id = NEW.agent_id AND role = 'agent')
    THEN
        RAISE EXCEPTION 'a loan is assigned to an agent, and keeps whose it was'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'loans_assignment';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER loans_check_assignment BEFORE UPDATE ON loans FOR EACH ROW
    WHEN ((NEW.agents_until, NEW.agents_before) IS DISTINCT FROM (OLD.agents_until, OLD.agents_before)
        OR NEW.version = OLD.version AND NEW.agent_id IS DISTINCT FROM OLD.agent_id)
    EXECUTE FUNCTION check_loan_assignment();

-- Who assigned a loan, for its history: between the version that it then had and the next one, in the order of `n`.
CREATE TABLE loan_assignments (
    loan_id uuid NOT NULL,
    version integer NOT NULL,
    n integer NOT NULL CHECK (n >= 1),
    at timestamptz NOT NULL,
    by_id uuid NOT NULL REFERENCES users (id),
    from_agent uuid REFERENCES users (id),
    to_agent uuid NOT NULL REFERENCES users (id),
    PRIMARY KEY (loan_id, version, n),
    FOREIGN KEY (loan_id, version) REFERENCES loan_versions (loan_id, version)
);
CREATE TRIGGER loan_assignments_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON loan_assignments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION check_loan_assignments() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (
        SELECT FROM made m JOIN public.loans l ON l.id = m.loan_id
        WHERE (m.version, m.at, m.to_agent) IS DISTINCT FROM (l.version, l.agents_until[cardinality(l.agents_until)], l.agent_id)
            OR m.from_agent IS DISTINCT FROM l.agents_before[cardinality(l.agents_before)])
    THEN
        RAISE EXCEPTION 'the history has an assignment as it was made'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'loan_assignments_of_loan';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER loan_assignments_check AFTER INSERT ON loan_assignments REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION check_loan_assignments();
GRANT SELECT, INSERT ON loan_assignments TO microloans_app;

-- A code that a person sets a password with, once: its hash, who handed it out, how often it was tried. A newer one takes its
-- place; one that is over stays for the sake of who handed it out.
CREATE TABLE activations (
    person_id uuid PRIMARY KEY REFERENCES users (id),
    code_hash text NOT NULL CONSTRAINT activations_code_hash_form CHECK (code_hash LIKE '$pbkdf2-sha256$%'),
    made_by uuid NOT NULL REFERENCES users (id) CONSTRAINT activations_made_by_another CHECK (made_by <> person_id),
    expires_at timestamptz NOT NULL,
    tries integer NOT NULL DEFAULT 0 CONSTRAINT activations_tries CHECK (tries BETWEEN 0 AND 5)
);
GRANT SELECT, INSERT, DELETE, UPDATE (code_hash, made_by, expires_at, tries) ON activations TO microloans_app;

-- What is known about a person, version by version; the highest is how it is.
CREATE TABLE profile_versions (
    person_id uuid NOT NULL REFERENCES users (id),
    version integer NOT NULL CHECK (version >= 1),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    by_id uuid NOT NULL REFERENCES users (id),
    profile jsonb NOT NULL CHECK (jsonb_typeof(profile) = 'object'),
    PRIMARY KEY (person_id, version)
);
CREATE TRIGGER profile_versions_append_only BEFORE UPDATE OR TRUNCATE ON profile_versions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER profile_versions_keep BEFORE DELETE ON profile_versions FOR EACH ROW EXECUTE FUNCTION refuse_unless_erased();

CREATE FUNCTION check_profile_version() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.users WHERE id = NEW.person_id AND role = 'customer' AND status <> 'erased' FOR KEY SHARE) THEN
        RAISE EXCEPTION 'a customer who is not erased has a profile'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'profile_versions_of_customer';
    END IF;
    IF NEW.version > 1 AND NOT EXISTS (
        SELECT FROM public.profile_versions WHERE person_id = NEW.person_id AND version = NEW.version - 1)
    THEN
        RAISE EXCEPTION 'no version is left out' USING ERRCODE = 'check_violation', CONSTRAINT = 'profile_versions_no_gap';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER profile_versions_check BEFORE INSERT ON profile_versions FOR EACH ROW EXECUTE FUNCTION check_profile_version();
-- When it was is not for the functions to say.
GRANT SELECT, INSERT (person_id, version, by_id, profile) ON profile_versions TO microloans_app;

-- The identity in the profile that a person has, of one form: nobody is there twice.
CREATE TABLE identities (
    person_id uuid PRIMARY KEY REFERENCES users (id),
    country text NOT NULL CONSTRAINT identities_country_form CHECK (country ~ '^[A-Z]{2}$'),
    kind text NOT NULL CONSTRAINT identities_kind_form CHECK (kind ~ '^[A-Z0-9]{1,40}$'),
    number text NOT NULL CONSTRAINT identities_number_form CHECK (number ~ '^[A-Z0-9]{1,40}$'),
    CONSTRAINT identities_key UNIQUE (country, kind, number)
);
GRANT SELECT, INSERT, DELETE, UPDATE (country, kind, number) ON identities TO microloans_app;

-- What goes with a person. `erase_person` writes the name that the user is left with; this goes with it, whatever it does else.
CREATE FUNCTION forget_user() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.external_id := NULL;
    NEW.metadata := '{}';
    NEW.agent_id := NULL;
    NEW.kyc_status := 'unverified';
    NEW.kyc_by := NULL;
    NEW.kyc_at := NULL;
    NEW.kyc_reason := NULL;
    NEW.kyc_expires_on := NULL;
    RETURN NEW;
END
$$;
CREATE TRIGGER users_forget BEFORE UPDATE ON users FOR EACH ROW WHEN (NEW.status = 'erased' AND OLD.status <> 'erased')
    EXECUTE FUNCTION forget_user();

CREATE FUNCTION forget_person() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM public.activations WHERE person_id = NEW.id;
    DELETE FROM public.identities WHERE person_id = NEW.id;
    DELETE FROM public.profile_versions WHERE person_id = NEW.id;
    -- What others wrote beside the person's loans, and answers that are kept and have it.
    DELETE FROM public.idempotency_keys k USING public.loans l
    WHERE l.borrower_id = NEW.id AND l.metadata <> '{}' AND k.caller_id = l.created_by AND k.operation = 'POST /api/loans'
        AND k.location = '/api/loans/' || l.id;
    UPDATE public.loans SET metadata = '{}' WHERE borrower_id = NEW.id AND metadata <> '{}';
    RETURN NULL;
END
$$;
CREATE TRIGGER users_forget_rest AFTER UPDATE ON users FOR EACH ROW WHEN (NEW.status = 'erased' AND OLD.status <> 'erased')
    EXECUTE FUNCTION forget_person();

-- Separation of duties: an account is in the hand of who set its password, and of who handed out a code for one.
CREATE FUNCTION is_in_hand(accounts uuid[], of_user uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN EXISTS (SELECT FROM public.users WHERE id = ANY (accounts) AND password_set_by = of_user)
        OR EXISTS (SELECT FROM public.activations WHERE person_id = ANY (accounts) AND made_by = of_user);
END
$$;

CREATE OR REPLACE FUNCTION check_decision() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF public.is_in_hand(ARRAY[NEW.borrower_id, NEW.created_by, NEW.edited_by, NEW.agent_id], NEW.decided_by) THEN
        RAISE EXCEPTION 'nobody decides on a loan of an account that is in their hand'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'loans_separation_of_duties';
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION check_second_person() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    loan record;
    involved uuid[];
BEGIN
    SELECT borrower_id, created_by, edited_by, agent_id INTO loan FROM public.loans WHERE id = NEW.loan_id;
    involved := CASE NEW.kind
        WHEN 'disbursement' THEN ARRAY[loan.borrower_id, loan.created_by, loan.edited_by, loan.agent_id]
        WHEN 'reversal' THEN ARRAY(SELECT recorded_by FROM public.transactions WHERE id = NEW.reverses)
        ELSE ARRAY[loan.created_by, loan.edited_by]
            || ARRAY(SELECT DISTINCT recorded_by FROM public.transactions WHERE loan_id = NEW.loan_id)
    END;
    IF public.is_in_hand(involved, NEW.recorded_by) THEN
        RAISE EXCEPTION 'nobody pays out, reverses, refunds or writes off what an account recorded that is in their hand'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transactions_separation_of_duties';
    END IF;
    RETURN NEW;
END
$$;
