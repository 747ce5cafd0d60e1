-- What a borrower types as account number when paying: ten digits of each loan, from its creation. A table of its own would
-- be looked up with every loan that is shown, so it is a column. Quick: loans that are there get theirs by the next file, which
-- keeps no reader waiting.

-- Damm's check digit over the quasigroup of order 10: of the digits 572 it is 4, of digits with their check digit 0. It finds every
-- wrong digit and every two that are swapped.
CREATE FUNCTION damm_digit(digits text) RETURNS integer
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
DECLARE
    quasigroup text := '0317598642' || '7092154863' || '4206871359' || '1750983426' || '6123045978'
        || '3674209581' || '5869720134' || '8945362017' || '9438617205' || '2581436790';
    state integer := 0;
BEGIN
    FOR place IN 1..length(digits) LOOP
        state := substr(quasigroup, 10 * state + substr(digits, place, 1)::integer + 1, 1)::integer;
    END LOOP;
    RETURN state;
END
$$;

-- Ten digits, the first 1 to 5: never taken for a telephone number with its country or trunk prefix. The last is the check digit.
CREATE FUNCTION is_pay_ref(text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
BEGIN
    RETURN CASE WHEN $1 ~ '^[1-5][0-9]{9}$' THEN public.damm_digit($1) = 0 ELSE false END;
END
$$;

ALTER TABLE loans ADD COLUMN pay_ref text;

-- One that no loan has. At random, so that neighbours in time are far from each other in a typing error.
CREATE FUNCTION new_pay_ref() RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    digits text;
BEGIN
    LOOP
        -- Random bits of a random id: its first 48.
        digits := (100000000 + ('x' || left(replace(gen_random_uuid()::text, '-', ''), 12))::bit(48)::bigint % 500000000)::text;
        digits := digits || public.damm_digit(digits);
        EXIT WHEN NOT EXISTS (SELECT FROM public.loans WHERE pay_ref = digits);
    END LOOP;
    RETURN digits;
END
$$;

-- Functions of the release before make loans without one.
CREATE FUNCTION give_pay_ref() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.pay_ref := public.new_pay_ref();
    RETURN NEW;
END
$$;
CREATE TRIGGER loans_give_pay_ref BEFORE INSERT ON loans FOR EACH ROW WHEN (NEW.pay_ref IS NULL)
    EXECUTE FUNCTION give_pay_ref();
