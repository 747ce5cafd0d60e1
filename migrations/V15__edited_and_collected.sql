-- When what is applied for last changed; null where that was the application itself. Others than the functions' new code do
-- not write it.
ALTER TABLE loans ADD COLUMN edited_at timestamptz;
GRANT UPDATE (edited_at) ON loans TO microloans_app;
ALTER TABLE loans DISABLE TRIGGER USER;
UPDATE loans l SET edited_at = v.at
FROM (SELECT loan_id, max(at) AS at FROM loan_versions WHERE action IN ('edit', 'revert') GROUP BY loan_id) v
WHERE v.loan_id = l.id;
ALTER TABLE loans ENABLE TRIGGER USER;

CREATE FUNCTION check_loan_edit() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NEW.edited_at IS DISTINCT FROM NEW.updated_at OR NEW.version = OLD.version OR NEW.status <> 'pending' THEN
        RAISE EXCEPTION 'an edit is a step, and of now'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'loans_edited_at';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER loans_check_edit BEFORE UPDATE ON loans FOR EACH ROW
    WHEN (coalesce(NEW.edited_at, NEW.created_at) <> coalesce(OLD.edited_at, OLD.created_at))
    EXECUTE FUNCTION check_loan_edit();

-- An agent's loans that were approved and withdrawn later count as approved: where there are some, the next run of the
-- scheduled function makes the figures anew.
DELETE FROM figures_builds WHERE EXISTS (
    SELECT FROM loans WHERE status = 'withdrawn' AND decided_by IS NOT NULL AND agent_id IS NOT NULL);
