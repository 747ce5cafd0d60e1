-- Attempts at passwords that are reserved before they are checked.

-- Of what a bucket counts: how many attempts are reserved and not decided, and when the last one was reserved. They stop
-- counting as undecided half a minute later, since no request lives so long: a function that died has left failures.
ALTER TABLE rate_limits
    ADD COLUMN undecided integer NOT NULL DEFAULT 0 CONSTRAINT rate_limits_undecided CHECK (undecided >= 0),
    ADD COLUMN reserved_at timestamptz;

-- Separation of duties: who else set a user's password. Null where the user did, or where nobody is known: demo data, the
-- first admin.
ALTER TABLE users
    ADD COLUMN password_set_by uuid REFERENCES users (id)
        CONSTRAINT users_password_set_by_another CHECK (password_set_by <> id);
GRANT UPDATE (password_set_by) ON users TO microloans_app;

-- Until now the audit alone says it.
UPDATE users u SET password_set_by = a.actor_id
FROM (
    SELECT DISTINCT ON (subject) subject, action, actor_id FROM audit_log
    WHERE action IN ('user.create', 'user.password', 'auth.password')
    ORDER BY subject, at DESC, id DESC
) a
WHERE a.subject = 'user:' || u.id AND a.action <> 'auth.password' AND a.actor_id <> u.id;

-- Nobody decides on a loan of somebody whose password they set.
CREATE FUNCTION check_decision() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (
        SELECT FROM users
        WHERE id IN (NEW.borrower_id, NEW.created_by, NEW.edited_by, NEW.agent_id) AND password_set_by = NEW.decided_by
    ) THEN
        RAISE EXCEPTION 'nobody decides on a loan of somebody whose password they set'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'loans_separation_of_duties';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER loans_check_decision BEFORE UPDATE OF decided_by ON loans FOR EACH ROW
    WHEN (NEW.decided_by IS NOT NULL AND (OLD.decided_by, OLD.decided_at) IS DISTINCT FROM (NEW.decided_by, NEW.decided_at))
    EXECUTE FUNCTION check_decision();

-- Nor pays such a loan out, nor reverses, refunds or writes off what such an account recorded.
CREATE FUNCTION check_second_person() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    loan loans;
    involved uuid[];
BEGIN
    SELECT * INTO loan FROM loans WHERE id = NEW.loan_id;
    involved := CASE NEW.kind
        WHEN 'disbursement' THEN ARRAY[loan.borrower_id, loan.created_by, loan.edited_by, loan.agent_id]
        WHEN 'reversal' THEN ARRAY(SELECT recorded_by FROM transactions WHERE id = NEW.reverses)
        ELSE ARRAY[loan.created_by, loan.edited_by]
            || ARRAY(SELECT DISTINCT recorded_by FROM transactions WHERE loan_id = NEW.loan_id)
    END;
    IF EXISTS (SELECT FROM users WHERE id = ANY (involved) AND password_set_by = NEW.recorded_by) THEN
        RAISE EXCEPTION 'nobody pays out, reverses, refunds or writes off what somebody recorded whose password they set'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transactions_separation_of_duties';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER transactions_check_second_person BEFORE INSERT ON transactions FOR EACH ROW
    WHEN (NEW.kind IN ('disbursement', 'reversal', 'refund', 'write_off'))
    EXECUTE FUNCTION check_second_person();

-- What a borrower may have at most, counted at every application.
CREATE INDEX loans_pending_by_borrower ON loans (borrower_id) WHERE status = 'pending';
