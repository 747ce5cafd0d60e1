-- Interest that follows the balance of each day. What such a loan will ask for is known from its transactions: what falls
-- due, and is past due, stands beside its other figures, as that of every loan does. Only the interest of all rows together
-- moves with the day. This is what it follows from, as of the day of the last transaction; null where it is fixed.
ALTER TABLE loans
    ADD COLUMN accruing jsonb,
    ADD CONSTRAINT loans_accruing CHECK (accruing IS NULL OR status = 'disbursed' AND jsonb_typeof(accruing) = 'object')
        NOT VALID;
-- All rows have null.
ALTER TABLE loans VALIDATE CONSTRAINT loans_accruing;

GRANT UPDATE (accruing) ON loans TO microloans_app;

-- Terms with the fields that they had no place for when they were stored.
CREATE OR REPLACE FUNCTION complete_terms(terms jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '{"calendar": null, "interest_accrual": "scheduled"}'::jsonb || terms;
