-- Statements of a source's account, as they were compared with its payments, and the payment that each of their credits is.
CREATE TABLE payment_statements (
    id uuid PRIMARY KEY,
    source text NOT NULL REFERENCES payment_sources (code),
    -- SHA-256 of the file: the same file again has the same report.
    digest bytea NOT NULL CHECK (length(digest) = 32),
    from_date date NOT NULL,
    to_date date NOT NULL,
    report jsonb NOT NULL CHECK (jsonb_typeof(report) = 'object'),
    received_at timestamptz NOT NULL,
    recorded_by uuid NOT NULL REFERENCES users (id),
    CONSTRAINT payment_statements_file UNIQUE (source, digest),
    CONSTRAINT payment_statements_days CHECK (from_date <= to_date)
);
CREATE INDEX payment_statements_by_day ON payment_statements (source, to_date, from_date);

-- A credit is one payment, whichever statements have it, and a payment is one credit.
CREATE TABLE payment_credits (
    source text NOT NULL REFERENCES payment_sources (code),
    external_id text NOT NULL CHECK (length(external_id) BETWEEN 1 AND 220),
    payment_id uuid NOT NULL REFERENCES payments (id) CONSTRAINT payment_credits_payment UNIQUE,
    statement_id uuid NOT NULL REFERENCES payment_statements (id),
    PRIMARY KEY (source, external_id)
);

CREATE TRIGGER payment_statements_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_statements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payment_credits_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_credits
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON payment_statements, payment_credits TO microloans_app;
