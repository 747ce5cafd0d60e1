-- Money that arrives. A payment is a fact from outside: it is recorded once, whatever the loan. What it pays is decided apart
-- from it, by repayments that name it; what of it nothing was decided of is in suspense, the account `unapplied_payments`.
--
-- Functions of the release before go on with loans; accounts of sources in the trial balance are more than they know, once
-- there is one.
ALTER TABLE loans VALIDATE CONSTRAINT loans_pay_ref;

-- Where money arrives: a paybill, an account at a bank, a till. It records what arrives and the repayments of that.
CREATE TABLE payment_sources (
    code text PRIMARY KEY CONSTRAINT payment_sources_code CHECK (
        code ~ '^[a-z0-9-]{1,32}$'
        -- Providers never call an address with one of these in it, and do not say so.
        AND code !~ 'mpesa|m-pesa|safaricom|exe|cmd|sql|query'),
    id uuid NOT NULL CONSTRAINT payment_sources_id UNIQUE,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    provider text NOT NULL CONSTRAINT payment_sources_provider CHECK (provider IN ('mpesa', 'json', 'statement', 'manual')),
    -- As the provider names it: a short code, an IBAN.
    account text NOT NULL CHECK (length(account) BETWEEN 1 AND 64),
    currency text NOT NULL CHECK (currency_decimals(currency) IS NOT NULL),
    -- ISO 3166, for telephone numbers without a country code.
    country text CHECK (country ~ '^[A-Z]{2}$'),
    -- The country's.
    calling_code text CHECK (calling_code ~ '^[1-9][0-9]{0,2}$'),
    -- In which times without a zone are.
    time_zone text NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 64),
    validation text NOT NULL CONSTRAINT payment_sources_validation CHECK (validation IN ('open', 'strict')),
    active boolean NOT NULL DEFAULT true,
    -- From which addresses its hooks are called; all where there are none.
    addresses text[] NOT NULL DEFAULT '{}' CHECK (cardinality(addresses) <= 100),
    created_at timestamptz NOT NULL,
    created_by uuid NOT NULL REFERENCES users (id),
    updated_at timestamptz NOT NULL,
    CONSTRAINT payment_sources_account UNIQUE (provider, account)
);
CREATE TRIGGER payment_sources_keep BEFORE DELETE OR TRUNCATE ON payment_sources FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What is in the address of a source's hooks, as SHA-256, and what its notices are signed with, sealed. Several may be good at once.
CREATE TABLE payment_source_secrets (
    source text NOT NULL REFERENCES payment_sources (code),
    digest bytea NOT NULL CHECK (length(digest) = 32),
    signing bytea,
    created_at timestamptz NOT NULL,
    -- Null: until there is a newer one.
    expires_at timestamptz,
    PRIMARY KEY (source, digest)
);

-- Each source has a cash account, and there is one for what is in suspense.
ALTER TABLE ledger_accounts
    DROP CONSTRAINT ledger_accounts_code_check,
    ADD CONSTRAINT ledger_accounts_code CHECK (code ~ '^[a-z_]{1,64}$' OR code ~ '^cash[.][a-z0-9-]{1,32}$');
INSERT INTO ledger_accounts (code, name, class) VALUES ('unapplied_payments', 'Unapplied payments', 'liability');
CREATE FUNCTION open_cash_account() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    INSERT INTO public.ledger_accounts (code, name, class) VALUES ('cash.' || NEW.code, 'Cash: ' || NEW.name, 'asset');
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION open_cash_account() FROM PUBLIC;
CREATE TRIGGER payment_sources_open_account AFTER INSERT ON payment_sources FOR EACH ROW EXECUTE FUNCTION open_cash_account();

CREATE TABLE payments (
    id uuid PRIMARY KEY,
    source text NOT NULL REFERENCES payment_sources (code),
    -- The provider's receipt. One receipt is one payment, at once or days apart.
    external_id text NOT NULL CHECK (length(external_id) BETWEEN 1 AND 200),
    currency text NOT NULL,
    -- As the first notice said.
    amount numeric NOT NULL CONSTRAINT payments_amount CHECK (amount > 0 AND is_money(amount, currency)),
    -- Null where only a date is known.
    paid_at timestamptz,
    paid_on date NOT NULL CHECK (paid_on BETWEEN '1900-01-01' AND '2200-12-31'),
    received_at timestamptz NOT NULL,
    -- A source, or the admin who entered it.
    recorded_by uuid NOT NULL,
    -- What follows from repayments, their reversals and movements that name it: triggers keep these, nobody else may. So two at
    -- once never pay out more than there is.
    corrected numeric NOT NULL DEFAULT 0,
    applied numeric NOT NULL DEFAULT 0,
    returned numeric NOT NULL DEFAULT 0,
    -- Whether anything was ever applied or returned, reversed or not.
    decided boolean NOT NULL DEFAULT false,
    state text NOT NULL GENERATED ALWAYS AS (
        CASE WHEN amount + corrected - applied - returned > 0
                THEN CASE WHEN applied = 0 AND returned = 0 THEN 'unapplied' ELSE 'partly_applied' END
            WHEN applied = 0 THEN 'returned'
            ELSE 'applied' END) STORED,
    CONSTRAINT payments_receipt UNIQUE (source, external_id),
    CONSTRAINT payments_not_above CHECK (
        applied >= 0 AND returned >= 0 AND is_money(amount + corrected, currency) AND applied + returned <= amount + corrected)
);
-- Lists, the latest first.
CREATE INDEX payments_by_date ON payments (paid_on, id);
CREATE INDEX payments_by_state ON payments (state, paid_on, id);
CREATE INDEX payments_by_source ON payments (source, paid_on, id);
CREATE INDEX payments_by_receipt ON payments (external_id);

CREATE FUNCTION check_payment() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.payment_sources WHERE code = NEW.source AND currency = NEW.currency) THEN
        RAISE EXCEPTION 'a payment has the currency of its source'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_currency';
    END IF;
    IF (NEW.received_at < now() OR NEW.received_at > clock_timestamp()) AND NOT public.comes_from_owner(TG_RELID) THEN
        RAISE EXCEPTION 'a payment is received now' USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_received_now';
    END IF;
    IF NOT EXISTS (SELECT FROM public.payment_sources WHERE code = NEW.source AND id = NEW.recorded_by)
        AND NOT EXISTS (SELECT FROM public.users WHERE id = NEW.recorded_by AND role = 'admin')
    THEN
        RAISE EXCEPTION 'its source or an admin records a payment'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_recorded_by';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER payments_check BEFORE INSERT ON payments FOR EACH ROW EXECUTE FUNCTION check_payment();
CREATE FUNCTION check_payment_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF (NEW.id, NEW.source, NEW.external_id, NEW.currency, NEW.amount, NEW.paid_at, NEW.paid_on, NEW.received_at, NEW.recorded_by)
        IS DISTINCT FROM
        (OLD.id, OLD.source, OLD.external_id, OLD.currency, OLD.amount, OLD.paid_at, OLD.paid_on, OLD.received_at, OLD.recorded_by)
    THEN
        RAISE EXCEPTION 'payments is append-only' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'append_only';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER payments_append_only BEFORE UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION check_payment_change();
CREATE TRIGGER payments_keep BEFORE DELETE OR TRUNCATE ON payments FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What may be added by a later notice, and who paid: that goes when the borrower is erased.
CREATE TABLE payment_details (
    payment_id uuid PRIMARY KEY REFERENCES payments (id),
    -- What the payer typed.
    reference text CHECK (length(reference) BETWEEN 1 AND 200),
    payer_name text CHECK (length(payer_name) BETWEEN 1 AND 200),
    payer_phone text CHECK (length(payer_phone) BETWEEN 1 AND 64),
    payer_account text CHECK (length(payer_account) BETWEEN 1 AND 64),
    matched_by text CONSTRAINT payment_details_matched_by CHECK (
        matched_by IN ('pay_ref', 'phone', 'username', 'external_id', 'manual')),
    -- What later notices said otherwise: `[{"field", "kept", "told"}]`.
    conflicts jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(conflicts) = 'array')
);
CREATE INDEX payment_details_by_reference ON payment_details (reference) WHERE reference IS NOT NULL;
CREATE INDEX payment_details_by_phone ON payment_details (payer_phone) WHERE payer_phone IS NOT NULL;
CREATE INDEX payment_details_by_account ON payment_details (payer_account) WHERE payer_account IS NOT NULL;
CREATE INDEX payment_details_by_name ON payment_details (lower(payer_name)) WHERE payer_name IS NOT NULL;

-- What arrived, as it was sent; kept for 13 months.
CREATE TABLE payment_notices (
    id uuid PRIMARY KEY,
    payment_id uuid NOT NULL REFERENCES payments (id),
    via text NOT NULL CHECK (via IN ('confirmation', 'stk', 'payment', 'manual', 'statement')),
    received_at timestamptz NOT NULL,
    raw text
);
CREATE INDEX payment_notices_by_payment ON payment_notices (payment_id);
CREATE INDEX payment_notices_to_drop ON payment_notices (received_at) WHERE raw IS NOT NULL;
CREATE FUNCTION check_notice_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF (NEW.id, NEW.payment_id, NEW.via, NEW.received_at) IS DISTINCT FROM (OLD.id, OLD.payment_id, OLD.via, OLD.received_at)
        OR NEW.raw IS NOT NULL OR (OLD.received_at > now() - interval '13 months' AND NOT public.comes_from_owner(TG_RELID))
    THEN
        RAISE EXCEPTION 'payment_notices is append-only' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'append_only';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER payment_notices_append_only BEFORE UPDATE ON payment_notices FOR EACH ROW EXECUTE FUNCTION check_notice_change();
CREATE TRIGGER payment_notices_keep BEFORE DELETE OR TRUNCATE ON payment_notices FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Notices that could not become a payment, with what was wrong; kept for 13 months.
CREATE TABLE payment_refusals (
    id uuid PRIMARY KEY,
    source text NOT NULL REFERENCES payment_sources (code),
    via text NOT NULL CHECK (via IN ('confirmation', 'stk', 'payment')),
    received_at timestamptz NOT NULL,
    code text NOT NULL,
    detail text NOT NULL,
    raw text NOT NULL
);
CREATE INDEX payment_refusals_by_source ON payment_refusals (source, received_at, id);
CREATE INDEX payment_refusals_to_drop ON payment_refusals (received_at);
CREATE FUNCTION check_refusal_kept() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF OLD.received_at > now() - interval '13 months' THEN
        RAISE EXCEPTION 'payment_refusals is append-only' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'append_only';
    END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER payment_refusals_kept BEFORE DELETE ON payment_refusals FOR EACH ROW EXECUTE FUNCTION check_refusal_kept();
CREATE TRIGGER payment_refusals_append_only BEFORE UPDATE OR TRUNCATE ON payment_refusals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What was decided of a payment besides repayments: money that went back, that was our own from another source, and what puts its amount right.
CREATE TABLE payment_movements (
    id uuid PRIMARY KEY,
    payment_id uuid NOT NULL REFERENCES payments (id),
    kind text NOT NULL CONSTRAINT payment_movements_kind CHECK (kind IN ('return', 'transfer', 'correction')),
    -- Of a correction: by how much the amount is more, or less.
    amount numeric NOT NULL CONSTRAINT payment_movements_amount CHECK (amount > 0 OR kind = 'correction' AND amount < 0),
    value_date date NOT NULL CHECK (value_date BETWEEN '1900-01-01' AND '2200-12-31'),
    from_source text REFERENCES payment_sources (code),
    reference text CHECK (length(reference) BETWEEN 1 AND 200),
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 1000),
    recorded_at timestamptz NOT NULL,
    recorded_by uuid NOT NULL REFERENCES users (id),
    CONSTRAINT payment_movements_shape CHECK (
        (from_source IS NOT NULL) = (kind = 'transfer') AND (reference IS NULL OR kind = 'return'))
);
CREATE INDEX payment_movements_by_payment ON payment_movements (payment_id);
CREATE TRIGGER payment_movements_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_movements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION count_payment_movement() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    payment record;
BEGIN
    SELECT p.paid_on, p.source, p.currency INTO payment FROM public.payments p WHERE p.id = NEW.payment_id FOR UPDATE;
    IF NEW.value_date < payment.paid_on OR (NEW.kind <> 'return' AND NEW.value_date <> payment.paid_on)
        OR NEW.from_source = payment.source OR NOT public.is_money(abs(NEW.amount), payment.currency)
        OR (NEW.from_source IS NOT NULL AND NOT EXISTS (
            SELECT FROM public.payment_sources s WHERE s.code = NEW.from_source AND s.currency = payment.currency))
    THEN
        RAISE EXCEPTION 'a movement is of the payment''s currency and day, and money goes back later or then'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_movements_of_payment';
    END IF;
    IF (NEW.recorded_at < now() OR NEW.recorded_at > clock_timestamp()) AND NOT public.comes_from_owner(TG_RELID) THEN
        RAISE EXCEPTION 'a movement is recorded now'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_movements_recorded_now';
    END IF;
    UPDATE public.payments SET
        corrected = corrected + CASE WHEN NEW.kind = 'correction' THEN NEW.amount ELSE 0 END,
        returned = returned + CASE WHEN NEW.kind = 'correction' THEN 0 ELSE NEW.amount END,
        decided = decided OR NEW.kind <> 'correction'
    WHERE id = NEW.payment_id;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION count_payment_movement() FROM PUBLIC;
CREATE TRIGGER payment_movements_count AFTER INSERT ON payment_movements FOR EACH ROW EXECUTE FUNCTION count_payment_movement();

-- A repayment may name the payment that it is from; a disbursement and a refund the source that they were paid from.
ALTER TABLE transactions
    ADD COLUMN payment_id uuid,
    ADD COLUMN source text,
    ADD CONSTRAINT transactions_payment FOREIGN KEY (payment_id) REFERENCES payments (id) NOT VALID,
    ADD CONSTRAINT transactions_source FOREIGN KEY (source) REFERENCES payment_sources (code) NOT VALID,
    -- Sources record too: a trigger looks.
    DROP CONSTRAINT transactions_recorded_by_fkey;

CREATE FUNCTION check_transaction_recorder() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.users WHERE id = NEW.recorded_by)
        AND NOT (NEW.payment_id IS NOT NULL AND EXISTS (SELECT FROM public.payment_sources WHERE id = NEW.recorded_by))
    THEN
        RAISE EXCEPTION 'a user records a transaction, or a source a repayment of what arrived there'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'transactions_recorded_by';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER transactions_check_recorder BEFORE INSERT ON transactions FOR EACH ROW EXECUTE FUNCTION check_transaction_recorder();

CREATE FUNCTION check_transaction_payment() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NEW.payment_id IS NOT NULL AND (NEW.kind <> 'repayment' OR NOT EXISTS (
        SELECT FROM public.payments p WHERE p.id = NEW.payment_id AND p.currency = NEW.currency AND p.paid_on <= NEW.value_date))
    THEN
        RAISE EXCEPTION 'a repayment that names a payment has its currency, and a date not before it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transactions_of_payment';
    END IF;
    IF NEW.source IS NOT NULL AND (NEW.kind NOT IN ('disbursement', 'refund') OR NOT EXISTS (
        SELECT FROM public.payment_sources s WHERE s.code = NEW.source AND s.currency = NEW.currency))
    THEN
        RAISE EXCEPTION 'a disbursement or a refund that names a source has its currency'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transactions_of_source';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER transactions_check_payment BEFORE INSERT ON transactions FOR EACH ROW
    WHEN (NEW.payment_id IS NOT NULL OR NEW.source IS NOT NULL) EXECUTE FUNCTION check_transaction_payment();

-- A repayment takes its amount out of suspense, and its reversal puts it there again.
CREATE FUNCTION count_applied() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF NEW.kind = 'reversal' THEN
        UPDATE public.payments p SET applied = p.applied - t.amount
        FROM public.transactions t WHERE t.id = NEW.reverses AND p.id = t.payment_id;
    ELSE
        UPDATE public.payments p SET applied = p.applied + NEW.amount, decided = true WHERE p.id = NEW.payment_id;
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION count_applied() FROM PUBLIC;
CREATE TRIGGER transactions_count_applied AFTER INSERT ON transactions FOR EACH ROW
    WHEN (NEW.payment_id IS NOT NULL OR NEW.kind = 'reversal') EXECUTE FUNCTION count_applied();

-- Entries of a payment: of its receipt, or of a movement of it.
ALTER TABLE journal_entries
    ALTER COLUMN loan_id DROP NOT NULL,
    ALTER COLUMN transaction_id DROP NOT NULL,
    ADD COLUMN payment_id uuid,
    ADD COLUMN movement_id uuid;
CREATE INDEX journal_entries_by_payment ON journal_entries (payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX journal_entries_of_payments ON journal_entries (recorded_at) WHERE payment_id IS NOT NULL;

CREATE OR REPLACE FUNCTION check_journal_entries() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (
            SELECT DISTINCT transaction_id, loan_id, currency, recorded_at FROM made WHERE NOT restates AND payment_id IS NULL) made
        WHERE (loan_id, currency, recorded_at, pg_current_xact_id()::xid) IS DISTINCT FROM (
            SELECT (t.loan_id, t.currency, t.recorded_at, t.xmin) FROM public.transactions t WHERE t.id = made.transaction_id))
    THEN
        RAISE EXCEPTION 'an entry has a transaction of its loan, and is recorded with it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_entries_transaction';
    END IF;
    IF EXISTS (
        SELECT FROM (SELECT * FROM made WHERE payment_id IS NOT NULL) made
        WHERE restates OR loan_id IS NOT NULL OR transaction_id IS NOT NULL
            OR currency IS DISTINCT FROM (SELECT p.currency FROM public.payments p WHERE p.id = made.payment_id)
            OR CASE WHEN movement_id IS NULL
                THEN (value_date, recorded_at, pg_current_xact_id()::xid) IS DISTINCT FROM (
                    SELECT (p.paid_on, p.received_at, p.xmin) FROM public.payments p WHERE p.id = made.payment_id)
                ELSE (payment_id, value_date, recorded_at, pg_current_xact_id()::xid) IS DISTINCT FROM (
                    SELECT (m.payment_id, m.value_date, m.recorded_at, m.xmin)
                    FROM public.payment_movements m WHERE m.id = made.movement_id) END)
    THEN
        RAISE EXCEPTION 'an entry of a payment is of its receipt or a movement, and is recorded with that'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_entries_payment';
    END IF;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT transaction_id, loan_id, currency, recorded_at FROM made WHERE restates) made
        WHERE NOT public.comes_from_owner(TG_RELID)
            OR (loan_id, currency) IS DISTINCT FROM (
                SELECT (t.loan_id, t.currency) FROM public.transactions t WHERE t.id = made.transaction_id)
            OR transaction_id IS DISTINCT FROM (
                SELECT t.id FROM public.transactions t WHERE t.loan_id = made.loan_id ORDER BY t.recorded_at DESC LIMIT 1)
            OR recorded_at <= (SELECT t.recorded_at FROM public.transactions t WHERE t.id = made.transaction_id))
    THEN
        RAISE EXCEPTION 'the owner alone states again what was posted, after the last transaction of the loan'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_entries_restating';
    END IF;
    IF EXISTS (SELECT FROM made WHERE value_date NOT BETWEEN '1900-01-01' AND '2200-12-31') THEN
        RAISE EXCEPTION 'a value date is of the years 1900 to 2200'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_entries_value_date';
    END IF;
    -- Those that are there are checked below.
    IF EXISTS (SELECT FROM made WHERE (SELECT count(*) FROM public.journal_lines WHERE entry_id = made.id) = 0) THEN
        RAISE EXCEPTION 'an entry comes with its lines'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_entries_balanced';
    END IF;
    RETURN NULL;
END
$$;

-- Who paid goes with the person whose loans it was for, and what was sent of it. Nobody is erased while money of theirs is in
-- suspense: of a payment that names a loan of theirs or once paid it.
CREATE FUNCTION erase_payers() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    theirs uuid[];
BEGIN
    SELECT array_agg(id) INTO theirs FROM (
        SELECT t.payment_id AS id FROM public.loans l JOIN public.transactions t ON t.loan_id = l.id
        WHERE l.borrower_id = NEW.id AND t.payment_id IS NOT NULL
        UNION SELECT d.payment_id FROM public.loans l JOIN public.payment_details d ON d.reference = l.pay_ref
        WHERE l.borrower_id = NEW.id) paid;
    IF EXISTS (SELECT FROM public.payments WHERE id = ANY (theirs) AND state IN ('unapplied', 'partly_applied')) THEN
        RAISE EXCEPTION 'money of the person is in suspense'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'erase_loans_open';
    END IF;
    UPDATE public.payment_details SET payer_name = NULL, payer_phone = NULL, payer_account = NULL, conflicts = '[]'
    WHERE payment_id = ANY (theirs);
    UPDATE public.payment_notices SET raw = NULL WHERE payment_id = ANY (theirs) AND raw IS NOT NULL;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION erase_payers() FROM PUBLIC;
CREATE TRIGGER users_erase_payers AFTER UPDATE ON users FOR EACH ROW
    WHEN (NEW.status = 'erased' AND OLD.status <> 'erased') EXECUTE FUNCTION erase_payers();

-- What a telephone number may be in E.164: as it is where it says its country, else with the country's calling code, which it may
-- have already.
CREATE FUNCTION phones_of(e164 text, digits text, calling_code text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
BEGIN
    RETURN array_remove(ARRAY[
        e164,
        CASE WHEN calling_code IS NULL OR starts_with(digits, calling_code) THEN '+' || digits END,
        '+' || calling_code || regexp_replace(digits, '^0', '')], NULL);
END
$$;

-- The loan to which a reference leads in the present transaction, noted by whoever looked it up: every statement after that
-- reads of the same loan.
CREATE FUNCTION matched_loan() RETURNS uuid
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN nullif(current_setting('microloans.matched_loan', true), '')::uuid;
END
$$;

GRANT SELECT, INSERT ON payment_sources, payment_source_secrets, payment_details, payment_notices, payment_refusals,
    payment_movements TO microloans_app;
GRANT SELECT, INSERT (id, source, external_id, currency, amount, paid_at, paid_on, received_at, recorded_by) ON payments
    TO microloans_app;
-- Locked by whoever decides of it, which takes the right to change a column: this one never changes.
GRANT UPDATE (id) ON payments TO microloans_app;
GRANT UPDATE (name, active, validation, addresses, updated_at) ON payment_sources TO microloans_app;
GRANT UPDATE (expires_at) ON payment_source_secrets TO microloans_app;
GRANT UPDATE (reference, payer_name, payer_phone, payer_account, matched_by, conflicts) ON payment_details TO microloans_app;
GRANT UPDATE (raw) ON payment_notices TO microloans_app;
GRANT DELETE ON payment_refusals TO microloans_app;
