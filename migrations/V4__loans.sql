-- Loans, their states, and every version of them.

CREATE TABLE loans (
    id uuid PRIMARY KEY,
    borrower_id uuid NOT NULL REFERENCES users (id),
    -- The agent who made the application or forwarded it; null for a customer's own that no agent has taken up.
    agent_id uuid REFERENCES users (id),
    product_code text NOT NULL,
    product_version integer NOT NULL,
    currency text NOT NULL CHECK (currency_decimals(currency) IS NOT NULL),
    amount numeric NOT NULL CONSTRAINT loans_amount CHECK (amount > 0 AND is_money(amount, currency)),
    -- The terms, complete; the two columns repeat what lists show and what is compared between versions.
    terms jsonb NOT NULL CHECK (jsonb_typeof(terms) = 'object'),
    instalments integer NOT NULL CHECK (instalments BETWEEN 1 AND 600),
    interest_rate_apr numeric NOT NULL
        CHECK (interest_rate_apr BETWEEN 0 AND 1000 AND interest_rate_apr = round(interest_rate_apr, 6)),
    -- Figures of the schedule. Before disbursement: as if disbursed on `version_on`.
    instalment numeric NOT NULL CHECK (is_sum(instalment, currency)),
    total_interest numeric NOT NULL CHECK (is_sum(total_interest, currency)),
    total_due numeric NOT NULL CHECK (is_sum(total_due, currency)),
    -- Where repayment stands.
    disbursed_on date,
    outstanding numeric NOT NULL DEFAULT 0 CONSTRAINT loans_outstanding CHECK (is_money(outstanding, currency) AND outstanding <= amount),
    next_due_on date,
    oldest_unpaid_due_on date,
    status text NOT NULL CONSTRAINT loans_status CHECK (
        status IN ('pending', 'approved', 'rejected', 'withdrawn', 'disbursed', 'repaid', 'defaulted')),
    version integer NOT NULL CHECK (version >= 1),
    -- The business date of the version.
    version_on date NOT NULL,
    created_by uuid NOT NULL REFERENCES users (id),
    edited_by uuid NOT NULL REFERENCES users (id),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL CHECK (updated_at >= created_at),
    decided_by uuid REFERENCES users (id),
    decided_at timestamptz,
    decision_reason text CHECK (length(decision_reason) BETWEEN 1 AND 1000),
    FOREIGN KEY (product_code, product_version) REFERENCES product_versions (code, version),
    -- Nobody decides on what they made or last changed.
    CONSTRAINT loans_decided_by_another CHECK (decided_by <> created_by AND decided_by <> edited_by),
    CONSTRAINT loans_decision_whole CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CONSTRAINT loans_decided CHECK ((status IN ('approved', 'rejected', 'disbursed', 'repaid', 'defaulted')) <= (decided_by IS NOT NULL)),
    -- A loan that is not disbursed owes nothing; one that is has a date.
    CONSTRAINT loans_disbursed CHECK ((status IN ('disbursed', 'repaid', 'defaulted')) = (disbursed_on IS NOT NULL)),
    CONSTRAINT loans_owing CHECK (status = 'disbursed' OR (outstanding = 0 AND next_due_on IS NULL AND oldest_unpaid_due_on IS NULL))
);

-- Each promised list (of a borrower, an agent, a status, a currency, or all) with each sort is a walk along one index.
CREATE INDEX loans_by_created ON loans (created_at, id);
CREATE INDEX loans_by_updated ON loans (updated_at, id);
CREATE INDEX loans_by_borrower_created ON loans (borrower_id, created_at, id);
CREATE INDEX loans_by_borrower_updated ON loans (borrower_id, updated_at, id);
CREATE INDEX loans_by_agent_created ON loans (agent_id, created_at, id);
CREATE INDEX loans_by_agent_updated ON loans (agent_id, updated_at, id);
CREATE INDEX loans_by_status_created ON loans (status, created_at, id);
CREATE INDEX loans_by_status_updated ON loans (status, updated_at, id);
CREATE INDEX loans_by_currency_created ON loans (currency, created_at, id);
CREATE INDEX loans_by_currency_updated ON loans (currency, updated_at, id);
CREATE INDEX loans_by_currency_amount ON loans (currency, amount, id);

-- Every version of every loan: what it then was, who made it so, and why.
CREATE TABLE loan_versions (
    loan_id uuid NOT NULL REFERENCES loans (id),
    version integer NOT NULL CHECK (version >= 1),
    action text NOT NULL CHECK (
        action IN ('create', 'edit', 'forward', 'revert', 'approve', 'reject', 'withdraw', 'undo_approval')),
    at timestamptz NOT NULL,
    by_id uuid NOT NULL REFERENCES users (id),
    reason text CHECK (length(reason) BETWEEN 1 AND 1000),
    changed text[] NOT NULL,
    status text NOT NULL,
    agent_id uuid REFERENCES users (id),
    product_code text NOT NULL,
    product_version integer NOT NULL,
    currency text NOT NULL,
    amount numeric NOT NULL CHECK (amount > 0 AND is_money(amount, currency)),
    terms jsonb NOT NULL,
    instalment numeric NOT NULL,
    total_interest numeric NOT NULL,
    total_due numeric NOT NULL,
    PRIMARY KEY (loan_id, version),
    FOREIGN KEY (product_code, product_version) REFERENCES product_versions (code, version)
);
CREATE TRIGGER loan_versions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON loan_versions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- No version without its entry in the history, checked at commit.
ALTER TABLE loans ADD CONSTRAINT loans_version_recorded FOREIGN KEY (id, version)
    REFERENCES loan_versions (loan_id, version) DEFERRABLE INITIALLY DEFERRED;

CREATE FUNCTION check_loan_creation() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NEW.status <> 'pending' OR NEW.version <> 1 OR NEW.decided_by IS NOT NULL THEN
        RAISE EXCEPTION 'a loan starts as a pending application, version 1'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'loans_start';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER loans_check_creation BEFORE INSERT ON loans FOR EACH ROW EXECUTE FUNCTION check_loan_creation();

CREATE FUNCTION check_loan_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    -- Steps of the application make a version each; money makes none.
    is_step boolean := NEW.version <> OLD.version;
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
        ('approved', 'disbursed'), ('disbursed', 'disbursed'), ('disbursed', 'repaid'), ('disbursed', 'defaulted'),
        -- Reversals: of a disbursement, of the last repayment, of a write-off.
        ('disbursed', 'approved'), ('repaid', 'disbursed'), ('defaulted', 'disbursed'),
        ('repaid', 'repaid'), ('defaulted', 'defaulted')
    ) THEN
        RAISE EXCEPTION 'a loan does not go from % to % (version % to %)', OLD.status, NEW.status, OLD.version, NEW.version
            USING ERRCODE = 'check_violation', CONSTRAINT = 'loans_transition';
    END IF;
    IF (NEW.amount, NEW.terms, NEW.product_code, NEW.product_version, NEW.instalments, NEW.interest_rate_apr)
        IS DISTINCT FROM (OLD.amount, OLD.terms, OLD.product_code, OLD.product_version, OLD.instalments, OLD.interest_rate_apr)
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
CREATE TRIGGER loans_check_change BEFORE UPDATE ON loans FOR EACH ROW EXECUTE FUNCTION check_loan_change();
CREATE TRIGGER loans_keep BEFORE DELETE OR TRUNCATE ON loans FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON loans, loan_versions TO microloans_app;
GRANT UPDATE (agent_id, product_code, product_version, amount, terms, instalments, interest_rate_apr, instalment,
    total_interest, total_due, disbursed_on, outstanding, next_due_on, oldest_unpaid_due_on, status, version, version_on,
    edited_by, updated_at, decided_by, decided_at, decision_reason) ON loans TO microloans_app;
