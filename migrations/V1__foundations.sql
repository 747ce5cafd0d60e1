-- What every later migration builds on: the role that functions use, currencies, append-only tables.

-- Two roles. The owner runs migrations and nothing else. Functions log in as a member of this group, which owns
-- nothing, may not create or drop anything, and is granted table by table what it needs. The login itself, with its
-- password, is made by the migrate function: a password has no place in a migration.
DO $$
BEGIN
    CREATE ROLE microloans_app NOLOGIN;
EXCEPTION
    -- Roles belong to the whole server: another database on it may have made this one.
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;
GRANT USAGE ON SCHEMA public TO microloans_app;
-- Before Postgres 15, everyone could create tables here.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- The number of decimals of a currency, ISO 4217; null for what is no currency. A function rather than a table, so that
-- CHECK constraints can use it. A test holds it against the table of the `lending` crate.
--
-- This one and those below are in PL/pgSQL, whose functions a connection prepares once. Functions in SQL are parsed and planned
-- anew wherever a statement names them, so that each CHECK would cost a third of a millisecond in every single statement.
-- They name each other with the schema, since a restored dump is checked without a search path.
CREATE FUNCTION currency_decimals(code text) RETURNS smallint
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
BEGIN
    RETURN CASE
        WHEN code IN (
            'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF',
            'XOF', 'XPF') THEN 0::smallint
        WHEN code IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3::smallint
        WHEN code IN ('CLF', 'UYW') THEN 4::smallint
        WHEN code IN (
            'AED', 'AFN', 'ALL', 'AMD', 'AOA', 'ARS', 'AUD', 'AWG', 'AZN', 'BAM', 'BBD', 'BDT', 'BMD', 'BND', 'BOB',
            'BOV', 'BRL', 'BSD', 'BTN', 'BWP', 'BYN', 'BZD', 'CAD', 'CDF', 'CHE', 'CHF', 'CHW', 'CNY', 'COP', 'COU',
            'CRC', 'CUP', 'CVE', 'CZK', 'DKK', 'DOP', 'DZD', 'EGP', 'ERN', 'ETB', 'EUR', 'FJD', 'FKP', 'GBP', 'GEL',
            'GHS', 'GIP', 'GMD', 'GTQ', 'GYD', 'HKD', 'HNL', 'HTG', 'HUF', 'IDR', 'ILS', 'INR', 'IRR', 'JMD', 'KES',
            'KGS', 'KHR', 'KPW', 'KYD', 'KZT', 'LAK', 'LBP', 'LKR', 'LRD', 'LSL', 'MAD', 'MDL', 'MGA', 'MKD', 'MMK',
            'MNT', 'MOP', 'MRU', 'MUR', 'MVR', 'MWK', 'MXN', 'MXV', 'MYR', 'MZN', 'NAD', 'NGN', 'NIO', 'NOK', 'NPR',
            'NZD', 'PAB', 'PEN', 'PGK', 'PHP', 'PKR', 'PLN', 'QAR', 'RON', 'RSD', 'RUB', 'SAR', 'SBD', 'SCR', 'SDG',
            'SEK', 'SGD', 'SHP', 'SLE', 'SOS', 'SRD', 'SSP', 'STN', 'SVC', 'SYP', 'SZL', 'THB', 'TJS', 'TMT', 'TOP',
            'TRY', 'TTD', 'TWD', 'TZS', 'UAH', 'USD', 'USN', 'UYU', 'UZS', 'VED', 'VES', 'WST', 'XAD', 'XCD', 'XCG',
            'YER', 'ZAR', 'ZMW', 'ZWG') THEN 2::smallint
    END;
END
$$;

-- Whether an amount of money can exist: a known currency, no more decimals than it has, at most 10^15 smallest units.
CREATE FUNCTION is_money(amount numeric, currency text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
DECLARE
    decimals smallint := public.currency_decimals(currency);
BEGIN
    RETURN coalesce(
        amount >= 0 AND amount = round(amount, decimals) AND amount * 10::numeric ^ decimals <= 1000000000000000, false);
END
$$;

-- The same for a sum over a loan's rows, which may be larger than any one amount.
CREATE FUNCTION is_sum(amount numeric, currency text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
BEGIN
    RETURN coalesce(
        amount >= 0 AND amount < 'Infinity' AND amount = round(amount, public.currency_decimals(currency)), false);
END
$$;

-- Refuses to change or remove rows, whoever asks. The functions' role is not granted UPDATE or DELETE on append-only
-- tables in the first place; this also stops the owner, and a later migration that forgets.
CREATE FUNCTION refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation', CONSTRAINT = 'append_only';
END
$$;
