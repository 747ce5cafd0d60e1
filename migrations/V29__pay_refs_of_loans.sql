-- Gives loans that are there their `pay_ref`. Writers wait for this, and readers do not, but for the moment in which the
-- constraints are named: nobody who waits for a row then holds what that needs.
LOCK TABLE loans IN EXCLUSIVE MODE;
CREATE UNIQUE INDEX loans_pay_ref_key ON loans (pay_ref);

ALTER TABLE loans DISABLE TRIGGER USER;
UPDATE loans SET pay_ref = new_pay_ref() WHERE pay_ref IS NULL;
ALTER TABLE loans ENABLE TRIGGER USER;

-- It stays: nobody has the right to change it.
ALTER TABLE loans
    ADD CONSTRAINT loans_pay_ref_key UNIQUE USING INDEX loans_pay_ref_key,
    ADD CONSTRAINT loans_pay_ref CHECK (pay_ref IS NOT NULL AND is_pay_ref(pay_ref)) NOT VALID;
