-- Refinancing: a disbursement settles loans of the same borrower. What it settles is not paid out; each settled loan has a
-- repayment of its own, which names the disbursement and is through the same cash account.
--
-- Functions of the release before would reverse one of them alone: that is refused at commit.
ALTER TABLE transactions
    -- Of a disbursement: the sum of those repayments.
    ADD COLUMN settled numeric,
    -- Of such a repayment: the disbursement.
    ADD COLUMN settled_by uuid,
    ADD CONSTRAINT transactions_settled_by FOREIGN KEY (settled_by) REFERENCES transactions (id) NOT VALID,
    ADD CONSTRAINT transactions_settled CHECK (
        (settled IS NULL OR kind = 'disbursement' AND settled > 0 AND is_sum(settled, currency) AND paid_out >= 0)
        AND (settled_by IS NULL OR kind = 'repayment' AND payment_id IS NULL)) NOT VALID;

CREATE OR REPLACE FUNCTION check_transaction_payment() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NEW.payment_id IS NOT NULL AND (NEW.kind <> 'repayment' OR NOT EXISTS (
        SELECT FROM public.payments p WHERE p.id = NEW.payment_id AND p.currency = NEW.currency AND p.paid_on <= NEW.value_date))
    THEN
        RAISE EXCEPTION 'a repayment that names a payment has its currency, and a date not before it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transactions_of_payment';
    END IF;
    IF NEW.source IS NOT NULL AND (NEW.kind NOT IN ('disbursement', 'refund') AND NEW.settled_by IS NULL OR NOT EXISTS (
        SELECT FROM public.payment_sources s WHERE s.code = NEW.source AND s.currency = NEW.currency))
    THEN
        RAISE EXCEPTION 'a disbursement, a refund or a settlement that names a source has its currency'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transactions_of_source';
    END IF;
    RETURN NEW;
END
$$;

-- At the end of a transaction a disbursement and its settlements belong together: recorded and reversed at once, of one
-- borrower, day and cash account, and its sum is theirs.
CREATE FUNCTION check_settlements() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    named uuid := coalesce(NEW.settled_by, NEW.id);
BEGIN
    IF NEW.kind = 'reversal' THEN
        SELECT coalesce(t.settled_by, t.id) INTO named FROM public.transactions t
        WHERE t.id = NEW.reverses AND (t.settled IS NOT NULL OR t.settled_by IS NOT NULL);
    END IF;
    IF EXISTS (
        SELECT FROM public.transactions d JOIN public.loans l ON l.id = d.loan_id
        WHERE d.id = named AND (
            d.settled IS DISTINCT FROM (SELECT sum(s.amount) FROM public.transactions s WHERE s.settled_by = d.id)
            OR EXISTS (
                SELECT FROM public.transactions s JOIN public.loans settled ON settled.id = s.loan_id
                WHERE s.settled_by = d.id AND (
                    (s.value_date, s.currency, s.recorded_by, s.source, settled.borrower_id)
                        IS DISTINCT FROM (d.value_date, d.currency, d.recorded_by, d.source, l.borrower_id)
                    OR s.loan_id = d.loan_id
                    OR (NEW.kind <> 'reversal' AND s.xmin <> d.xmin)
                    OR EXISTS (SELECT FROM public.transactions r WHERE r.reverses = s.id)
                        <> EXISTS (SELECT FROM public.transactions r WHERE r.reverses = d.id)))))
    THEN
        RAISE EXCEPTION 'a disbursement and the settlements that it pays are recorded and reversed together'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transactions_settlements';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER transactions_check_settlements AFTER INSERT ON transactions DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.settled IS NOT NULL OR NEW.settled_by IS NOT NULL OR NEW.kind = 'reversal')
    EXECUTE FUNCTION check_settlements();
