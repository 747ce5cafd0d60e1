-- Penalties to collect, and loans whose columns and journal are stated again by newer rules.

-- Penalties unpaid by due date, as `owed_on` and `owed` are for all else. Late fees arise while time passes, and no job moves
-- them on: those that can still arise are here with their days, as they do while nothing is paid. Loans that are there get
-- theirs when they are stated again. The constraint is held to of rows that are there by a later file: readers wait for this
-- one.
ALTER TABLE loans
    ADD COLUMN penalties_on date[] NOT NULL DEFAULT '{}',
    ADD COLUMN penalties numeric[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT loans_penalties CHECK (cardinality(penalties_on) = cardinality(penalties)) NOT VALID;

GRANT UPDATE (penalties_on, penalties) ON loans TO microloans_app;

-- The rules that a row follows, and its part of the journal, as the code counts them; 0 where nobody has looked since they
-- are counted. What newer rules make of the same transactions is written by the migrate function, as the owner.
--
-- `stated_at` is the `updated_at` at which they were found to follow, or were made to. Code moves it with
-- `updated_at` where both were the same and the rules are its own, and leaves it elsewhere: a command adds what follows from it,
-- and puts nothing right of before. So what code of other rules writes, or code that does not know this column, is found.
ALTER TABLE loans
    ADD COLUMN rules_version integer NOT NULL DEFAULT 0,
    ADD COLUMN stated_at timestamptz;
GRANT UPDATE (rules_version, stated_at) ON loans TO microloans_app;

-- Figures that were built by these rules.
ALTER TABLE figures_builds ADD COLUMN rules integer NOT NULL DEFAULT 0;
UPDATE figures_builds SET rules = 1 WHERE NOT EXISTS (SELECT FROM loans);

-- The owner may state again what a loan comes to that no money has moved for; its state stays. The rest is as before.
CREATE OR REPLACE FUNCTION check_loan_change() RETURNS trigger
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
        -- A disbursement, and its reversal.
        ('approved', 'disbursed'), ('disbursed', 'approved'),
        -- The last payment, a write-off, and whatever takes them back.
        ('disbursed', 'disbursed'), ('disbursed', 'repaid'), ('disbursed', 'defaulted'),
        ('repaid', 'disbursed'), ('repaid', 'repaid'), ('repaid', 'defaulted'),
        ('defaulted', 'disbursed'), ('defaulted', 'repaid'), ('defaulted', 'defaulted')
    ) AND NOT (OLD.status = NEW.status AND OLD.updated_at = NEW.updated_at AND public.comes_from_owner(TG_RELID)) THEN
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
