-- Answers given to commands that came with an Idempotency-Key, kept for seven days. A row is committed together with
-- the effect of its command, never without an answer.

CREATE TABLE idempotency_keys (
    caller_id uuid NOT NULL REFERENCES users (id),
    -- Method and path.
    operation text NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    -- SHA-256 of the command.
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
    status smallint CHECK (status BETWEEN 200 AND 299),
    body text,
    etag text,
    location text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (caller_id, operation, key)
);
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (created_at);

CREATE FUNCTION check_idempotency_key() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.idempotency_keys
        WHERE (caller_id, operation, key) = (NEW.caller_id, NEW.operation, NEW.key) AND (status IS NULL OR body IS NULL)
    ) THEN
        RAISE EXCEPTION 'an idempotency key is kept with its answer or not at all'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'idempotency_keys_answered';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER idempotency_keys_answered AFTER INSERT OR UPDATE ON idempotency_keys
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_idempotency_key();

GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO microloans_app;
