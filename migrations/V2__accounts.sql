-- People who use the system, their sessions, limits on guessing, and the log of who did what.

CREATE TABLE users (
    id uuid PRIMARY KEY,
    -- Never parseable as a UUID, so that "an id or a username" has one reading.
    username text NOT NULL
        CONSTRAINT users_username_key UNIQUE
        CONSTRAINT users_username_form CHECK (
            username ~ '^[a-z0-9._-]{3,64}$'
            AND username !~ '^[0-9a-f]{32}$'
            AND username !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'),
    email text NOT NULL CONSTRAINT users_email_form CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' AND length(email) <= 254),
    -- E.164: a plus and at most 15 digits.
    phone text NOT NULL CONSTRAINT users_phone_form CHECK (phone ~ '^\+[1-9][0-9]{1,14}$'),
    full_name text CONSTRAINT users_full_name_form CHECK (length(full_name) BETWEEN 1 AND 200),
    role text NOT NULL CONSTRAINT users_role CHECK (role IN ('customer', 'agent', 'admin')),
    status text NOT NULL,
    password_hash text NOT NULL CONSTRAINT users_password_hash_form CHECK (password_hash ~ '^(\$pbkdf2-sha256\$|pbkdf2:sha256:)'),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Only an agent waits for approval.
    CONSTRAINT users_status CHECK (
        status IN ('active', 'suspended') OR (role = 'agent' AND status IN ('pending', 'rejected')))
);
CREATE UNIQUE INDEX users_email_key ON users (lower(email));

-- Lists, newest first: all users, by role, by status, by both.
CREATE INDEX users_by_time ON users (created_at DESC, id DESC);
CREATE INDEX users_by_role ON users (role, created_at DESC, id DESC);
CREATE INDEX users_by_role_and_status ON users (role, status, created_at DESC, id DESC);
CREATE INDEX users_by_status ON users (status, created_at DESC, id DESC);
-- Prefixes, without case.
CREATE INDEX users_by_username_prefix ON users (username text_pattern_ops);
CREATE INDEX users_by_email_prefix ON users (lower(email) text_pattern_ops);
CREATE INDEX users_by_phone_prefix ON users (phone text_pattern_ops);

CREATE FUNCTION check_user_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF (NEW.id, NEW.username, NEW.role, NEW.created_at) IS DISTINCT FROM (OLD.id, OLD.username, OLD.role, OLD.created_at) THEN
        RAISE EXCEPTION 'a user keeps id, username, role and time of creation'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'users_fixed';
    END IF;
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
        ('pending', 'active'), ('pending', 'rejected'), ('rejected', 'active'),
        ('active', 'suspended'), ('suspended', 'active')
    ) THEN
        RAISE EXCEPTION 'a user does not go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'users_status_transition';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER users_check_change BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION check_user_change();
CREATE TRIGGER users_keep BEFORE DELETE OR TRUNCATE ON users FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A session lives as long as its token; logout, a new password and suspension delete it.
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Token buckets: `key` is a hash of what is limited and for whom, `full_at` when the bucket will be full again.
CREATE TABLE rate_limits (
    key bytea PRIMARY KEY CHECK (length(key) = 32),
    full_at timestamptz NOT NULL
);
CREATE INDEX rate_limits_by_time ON rate_limits (full_at);

-- Who did what to what. `subject` is a kind and an id: `user:…`, `loan:…`, `product:…`.
CREATE TABLE audit_log (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Null for someone who is not logged in.
    actor_id uuid REFERENCES users (id),
    action text NOT NULL CHECK (action ~ '^[a-z_]+(\.[a-z_]+)*$'),
    subject text NOT NULL CHECK (length(subject) <= 200),
    address text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_by_time ON audit_log (at DESC, id DESC);
CREATE INDEX audit_log_by_actor ON audit_log (actor_id, at DESC, id DESC);
CREATE INDEX audit_log_by_action ON audit_log (action, at DESC, id DESC);
CREATE INDEX audit_log_by_subject ON audit_log (subject, at DESC, id DESC);
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON users TO microloans_app;
GRANT UPDATE (email, phone, full_name, status, password_hash, updated_at) ON users TO microloans_app;
GRANT SELECT, INSERT, DELETE ON sessions TO microloans_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON rate_limits TO microloans_app;
GRANT SELECT, INSERT ON audit_log TO microloans_app;
