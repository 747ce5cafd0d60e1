-- Calendars: which days are working days. Every version stays: a loan keeps that of its disbursement.

CREATE FUNCTION is_weekend(days text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    -- Some of the seven days, each once, in their order; one at least is a working day.
    RETURN cardinality(days) <= 6 AND days = array(
        SELECT day FROM unnest(ARRAY['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']) WITH ORDINALITY week (day, place)
        WHERE day = ANY (days) ORDER BY place);

CREATE TABLE calendars (
    code text CONSTRAINT calendars_pkey PRIMARY KEY CONSTRAINT calendars_code_form CHECK (code ~ '^[a-z0-9-]{1,64}$'),
    version integer NOT NULL CHECK (version >= 1),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    weekend text[] NOT NULL CHECK (is_weekend(weekend)),
    -- The holidays in the order of their dates, with a name each.
    holidays_on date[] NOT NULL CHECK (cardinality(holidays_on) <= 1000),
    holiday_names text[] NOT NULL CHECK (cardinality(holiday_names) = cardinality(holidays_on)),
    -- The dates for which the holidays are entered: outside them only weekends are known.
    covers_from date,
    covers_to date,
    CONSTRAINT calendars_covers CHECK ((covers_from IS NULL) = (covers_to IS NULL) AND covers_from <= covers_to
        AND covers_from <= ALL (holidays_on) AND covers_to >= ALL (holidays_on)
        AND (covers_from IS NOT NULL OR cardinality(holidays_on) = 0)),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE calendar_versions (
    LIKE calendars INCLUDING CONSTRAINTS,
    -- When this version was made, and by whom; null for those that come with the system.
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    by_id uuid REFERENCES users (id),
    PRIMARY KEY (code, version)
);
ALTER TABLE calendar_versions DROP COLUMN updated_at;
CREATE TRIGGER calendar_versions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON calendar_versions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- No version without its entry, checked at commit.
ALTER TABLE calendars ADD CONSTRAINT calendars_version_recorded FOREIGN KEY (code, version)
    REFERENCES calendar_versions (code, version) DEFERRABLE INITIALLY DEFERRED;

CREATE FUNCTION check_calendar_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF (NEW.code, NEW.created_at) IS DISTINCT FROM (OLD.code, OLD.created_at) THEN
        RAISE EXCEPTION 'a calendar keeps code and time of creation'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'calendars_fixed';
    END IF;
    IF NEW.version <> OLD.version + 1 THEN
        RAISE EXCEPTION 'a change of a calendar makes the next version'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'calendars_next_version';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER calendars_check_change BEFORE UPDATE ON calendars FOR EACH ROW EXECUTE FUNCTION check_calendar_change();
CREATE TRIGGER calendars_keep BEFORE DELETE OR TRUNCATE ON calendars FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A version is what its calendar is when it is recorded.
CREATE FUNCTION check_calendar_version() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.calendars c
        WHERE (c.code, c.version, c.name, c.weekend, c.holidays_on, c.holiday_names, c.created_at)
                = (NEW.code, NEW.version, NEW.name, NEW.weekend, NEW.holidays_on, NEW.holiday_names, NEW.created_at)
            AND (c.covers_from, c.covers_to) IS NOT DISTINCT FROM (NEW.covers_from, NEW.covers_to) AND c.updated_at = NEW.at)
    THEN
        RAISE EXCEPTION 'a version is what its calendar is'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'calendar_versions_of_calendar';
    END IF;
    IF (NEW.at < now() OR NEW.at > clock_timestamp()) AND NOT public.comes_from_owner(TG_RELID) THEN
        RAISE EXCEPTION 'a calendar is changed now' USING ERRCODE = 'check_violation', CONSTRAINT = 'calendar_versions_now';
    END IF;
    IF NEW.version > 1 AND NOT EXISTS (
        SELECT FROM public.calendar_versions WHERE code = NEW.code AND version = NEW.version - 1)
    THEN
        RAISE EXCEPTION 'no version is left out'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'calendar_versions_no_gap';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER calendar_versions_check AFTER INSERT ON calendar_versions
    FOR EACH ROW EXECUTE FUNCTION check_calendar_version();

GRANT SELECT, INSERT ON calendars, calendar_versions TO microloans_app;
GRANT UPDATE (version, name, weekend, holidays_on, holiday_names, covers_from, covers_to, updated_at) ON calendars
    TO microloans_app;

-- The days of the newest version of the calendar that terms name, and of one version; null where there is none.
CREATE FUNCTION newest_calendar(terms jsonb) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT jsonb_build_object('version', c.version, 'weekend', c.weekend, 'holidays', c.holidays_on)
        FROM public.calendars c WHERE c.code = terms #>> '{calendar,code}');

CREATE FUNCTION calendar_of_version(of_code text, of_version integer) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT jsonb_build_object('version', c.version, 'weekend', c.weekend, 'holidays', c.holidays_on)
        FROM public.calendar_versions c WHERE c.code = of_code AND c.version = of_version);

-- The version of the calendar that a disbursement or a reschedule took.
ALTER TABLE transactions
    ADD COLUMN calendar_code text,
    ADD COLUMN calendar_version integer,
    -- Not valid: rows of before have none.
    ADD CONSTRAINT transactions_calendar FOREIGN KEY (calendar_code, calendar_version)
        REFERENCES calendar_versions (code, version) NOT VALID,
    ADD CONSTRAINT transactions_calendar_of_kind CHECK (
        (calendar_code IS NULL) = (calendar_version IS NULL)
        AND (calendar_code IS NULL OR kind IN ('disbursement', 'reschedule'))) NOT VALID;

-- Terms with the fields that they had no place for when they were stored.
CREATE FUNCTION complete_terms(terms jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '{"calendar": null}'::jsonb || terms;

-- The same terms may get the new field. The rest is as before.
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
    IF ((NEW.amount, NEW.product_code, NEW.product_version, NEW.instalments, NEW.interest_rate_apr)
            IS DISTINCT FROM (OLD.amount, OLD.product_code, OLD.product_version, OLD.instalments, OLD.interest_rate_apr)
        OR public.complete_terms(NEW.terms) IS DISTINCT FROM public.complete_terms(OLD.terms))
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
