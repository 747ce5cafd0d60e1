-- Keys of machines. A key is a user of its own in every history; nobody logs in with it, and it stands in no list of users.

ALTER TABLE users
    ADD COLUMN is_key boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT users_erased,
    -- As before, and: a key is nobody to be reached, has neither password nor second factor, and is in the hand of who made it.
    ADD CONSTRAINT users_erased CHECK (
        CASE WHEN is_key
            THEN role IN ('agent', 'admin') AND status = 'active' AND username ~ '^key-[0-9a-f]{32}$'
                AND password_set_by IS NOT NULL
                AND num_nonnulls(email, phone, password_hash, totp_since, external_id, agent_id) = 0
            WHEN status = 'erased'
            THEN username ~ '^erased-[0-9]{12}$' AND metadata = '{}'
                AND num_nonnulls(email, phone, full_name, password_hash, external_id, agent_id, kyc_reason) = 0
            WHEN role = 'customer' THEN num_nonnulls(email, phone, external_id) > 0
            ELSE num_nulls(email, phone) = 0 END) NOT VALID;

CREATE TABLE api_keys (
    id uuid PRIMARY KEY REFERENCES users (id),
    -- SHA-256 of the key; the key itself is kept nowhere.
    digest bytea NOT NULL CHECK (length(digest) = 32),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    scopes text[] NOT NULL CONSTRAINT api_keys_scopes CHECK (cardinality(scopes) BETWEEN 1 AND 100),
    made_by uuid NOT NULL REFERENCES users (id),
    created_at timestamptz NOT NULL,
    -- The last business date, and when it is over.
    expires_on date,
    expires_at timestamptz,
    -- To the minute.
    last_used_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT api_keys_expiry CHECK ((expires_on IS NULL) = (expires_at IS NULL))
);
CREATE INDEX api_keys_by_time ON api_keys (created_at DESC, id DESC) WHERE revoked_at IS NULL;
CREATE TRIGGER api_keys_keep BEFORE DELETE OR TRUNCATE ON api_keys FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION check_new_key() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.users u JOIN public.users m ON m.id = u.password_set_by
        WHERE u.id = NEW.id AND u.is_key AND m.id = NEW.made_by AND m.role = 'admin' AND m.status = 'active' AND NOT m.is_key)
    THEN
        RAISE EXCEPTION 'an admin makes a key, and is known as its maker'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'api_keys_made_by';
    END IF;
    IF NEW.revoked_at IS NOT NULL OR NEW.last_used_at IS NOT NULL THEN
        RAISE EXCEPTION 'a new key is good and was not used' USING ERRCODE = 'check_violation', CONSTRAINT = 'api_keys_new';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER api_keys_check_new BEFORE INSERT ON api_keys FOR EACH ROW EXECUTE FUNCTION check_new_key();

CREATE FUNCTION check_key_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF (NEW.id, NEW.digest, NEW.name, NEW.scopes, NEW.made_by, NEW.created_at)
            IS DISTINCT FROM (OLD.id, OLD.digest, OLD.name, OLD.scopes, OLD.made_by, OLD.created_at)
        OR (NEW.expires_on, NEW.expires_at) IS DISTINCT FROM (OLD.expires_on, OLD.expires_at)
        OR OLD.revoked_at IS NOT NULL
    THEN
        RAISE EXCEPTION 'a key is used and revoked, and nothing else' USING ERRCODE = 'check_violation', CONSTRAINT = 'api_keys_fixed';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER api_keys_check_change BEFORE UPDATE ON api_keys FOR EACH ROW EXECUTE FUNCTION check_key_change();

GRANT SELECT, INSERT ON api_keys TO microloans_app;
GRANT UPDATE (last_used_at, revoked_at) ON api_keys TO microloans_app;

-- Who calls with a key that is good; an error for any other, which ends the transaction before it reads or locks anything. Notes
-- the use, once a minute, and waits for nobody who notes it at the same moment.
CREATE FUNCTION use_key(of_id uuid, of_digest bytea, of_role text, OUT username text, OUT scopes text[])
    LANGUAGE plpgsql
    AS $$
BEGIN
    SELECT u.username, k.scopes INTO username, scopes
    FROM public.api_keys k JOIN public.users u ON u.id = k.id
    WHERE k.id = of_id AND k.digest = of_digest AND u.role = of_role AND k.revoked_at IS NULL
        AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp());
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such key is good' USING ERRCODE = 'check_violation', CONSTRAINT = 'api_keys_good';
    END IF;
    UPDATE public.api_keys SET last_used_at = clock_timestamp()
    WHERE id = (
        SELECT id FROM public.api_keys
        WHERE id = of_id AND revoked_at IS NULL
            AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute')
        FOR NO KEY UPDATE SKIP LOCKED);
END
$$;

-- A search finds no key.
CREATE OR REPLACE VIEW words_of_users AS
SELECT u.id AS person_id, words.word, date_trunc('month', u.created_at AT TIME ZONE 'UTC')::date AS month, u.role, u.status, u.created_at
FROM users u, search_words(u.username, u.email, u.phone, u.full_name) AS words (word)
WHERE NOT u.is_key;

-- As before, and: nothing is assigned to a key.
CREATE OR REPLACE FUNCTION check_loan_assignment() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NEW.version <> OLD.version OR NEW.agent_id IS NOT DISTINCT FROM OLD.agent_id OR NEW.updated_at <= OLD.updated_at
        OR NEW.agents_until <> array_append(OLD.agents_until, NEW.updated_at)
        OR NEW.agents_before IS DISTINCT FROM array_append(OLD.agents_before, OLD.agent_id)
        OR NOT EXISTS (SELECT FROM public.users WHERE id = NEW.agent_id AND role = 'agent' AND NOT is_key)
    THEN
        RAISE EXCEPTION 'a loan is assigned to an agent, and keeps whose it was'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'loans_assignment';
    END IF;
    RETURN NEW;
END
$$;
CREATE FUNCTION check_agent_of_customer() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM public.users WHERE id = NEW.agent_id AND is_key) THEN
        RAISE EXCEPTION 'a key looks after nobody' USING ERRCODE = 'check_violation', CONSTRAINT = 'users_agent_no_key';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER users_check_agent BEFORE INSERT OR UPDATE OF agent_id ON users FOR EACH ROW WHEN (NEW.agent_id IS NOT NULL)
    EXECUTE FUNCTION check_agent_of_customer();

-- An admin's keys are no admins who stay.
CREATE FUNCTION check_last_admin() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.users WHERE role = 'admin' AND status = 'active' AND NOT is_key AND id <> NEW.id)
    THEN
        RAISE EXCEPTION 'the last active admin stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'erase_last_admin';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER users_check_last_admin BEFORE UPDATE ON users FOR EACH ROW
    WHEN (OLD.role = 'admin' AND OLD.status = 'active' AND NEW.status = 'erased') EXECUTE FUNCTION check_last_admin();

-- Separation of duties, as before, and: a key and who made it are one hand, with all that is in it.
CREATE OR REPLACE FUNCTION is_in_hand(accounts uuid[], of_user uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    hand uuid[] := ARRAY[of_user] || ARRAY(SELECT made_by FROM public.api_keys WHERE id = of_user);
BEGIN
    RETURN EXISTS (
            SELECT FROM public.users
            WHERE id = ANY (accounts) AND id <> of_user AND (id = ANY (hand) OR password_set_by = ANY (hand)))
        OR EXISTS (SELECT FROM public.activations WHERE person_id = ANY (accounts) AND made_by = ANY (hand));
END
$$;
