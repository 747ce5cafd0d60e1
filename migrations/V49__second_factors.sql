-- A second factor beside the password: a code by the clock (RFC 6238), or one of ten recovery codes.

-- Since when the user needs it to log in; null for none.
ALTER TABLE users ADD COLUMN totp_since timestamptz;
GRANT UPDATE (totp_since) ON users TO microloans_app;

-- The secret that the user's authenticator has too, sealed under keys that the database never holds. Until the user
-- needs it, it has begun and is not confirmed.
CREATE TABLE second_factors (
    person_id uuid PRIMARY KEY REFERENCES users (id),
    secret bytea NOT NULL CONSTRAINT second_factors_secret_sealed CHECK (length(secret) > 40),
    -- The step of 30 seconds whose code was used last: a code is good once.
    last_step bigint NOT NULL DEFAULT 0 CHECK (last_step >= 0)
);
GRANT SELECT, INSERT, DELETE, UPDATE (secret, last_step) ON second_factors TO microloans_app;

-- Recovery codes that are left, by their digests: 80 random bits each, so that a digest gives none away.
CREATE TABLE recovery_codes (
    person_id uuid NOT NULL REFERENCES users (id),
    digest bytea NOT NULL CONSTRAINT recovery_codes_digest_form CHECK (length(digest) = 32),
    PRIMARY KEY (person_id, digest)
);
GRANT SELECT, INSERT, DELETE ON recovery_codes TO microloans_app;

-- A user needs what is there, and an erased one nothing.
CREATE FUNCTION check_second_factor() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.second_factors WHERE person_id = NEW.id AND last_step > 0)
        OR NOT EXISTS (SELECT FROM public.recovery_codes WHERE person_id = NEW.id)
    THEN
        RAISE EXCEPTION 'a second factor is asked for once its first code was used and recovery codes are there'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'users_second_factor';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER users_check_second_factor BEFORE INSERT OR UPDATE OF totp_since ON users FOR EACH ROW
    WHEN (NEW.totp_since IS NOT NULL) EXECUTE FUNCTION check_second_factor();

-- It goes when the user does not need it any more, not before.
CREATE FUNCTION keep_second_factor() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM public.users WHERE id = OLD.person_id AND totp_since IS NOT NULL) THEN
        RAISE EXCEPTION 'the user logs in with it' USING ERRCODE = 'check_violation', CONSTRAINT = 'second_factors_in_use';
    END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER second_factors_keep BEFORE DELETE ON second_factors FOR EACH ROW EXECUTE FUNCTION keep_second_factor();

-- As before, and the second factor.
CREATE OR REPLACE FUNCTION forget_user() RETURNS trigger
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
    NEW.totp_since := NULL;
    RETURN NEW;
END
$$;

CREATE FUNCTION forget_second_factor() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM public.recovery_codes WHERE person_id = NEW.id;
    DELETE FROM public.second_factors WHERE person_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER users_forget_second_factor AFTER UPDATE ON users FOR EACH ROW
    WHEN (NEW.status = 'erased' AND OLD.status <> 'erased') EXECUTE FUNCTION forget_second_factor();
