-- Loan products and every version of them. A loan names the version it was made with.

CREATE TABLE products (
    code text CONSTRAINT products_pkey PRIMARY KEY CONSTRAINT products_code_form CHECK (code ~ '^[a-z0-9-]{1,64}$'),
    version integer NOT NULL CHECK (version >= 1),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    currency text NOT NULL CHECK (currency_decimals(currency) IS NOT NULL),
    min_amount numeric NOT NULL CHECK (min_amount > 0 AND is_money(min_amount, currency)),
    max_amount numeric NOT NULL CHECK (max_amount >= min_amount AND is_money(max_amount, currency)),
    min_instalments integer NOT NULL CHECK (min_instalments BETWEEN 1 AND 600),
    max_instalments integer NOT NULL CHECK (max_instalments BETWEEN min_instalments AND 600),
    min_rate_apr numeric NOT NULL CHECK (min_rate_apr BETWEEN 0 AND 1000 AND min_rate_apr = round(min_rate_apr, 6)),
    max_rate_apr numeric NOT NULL CHECK (max_rate_apr BETWEEN min_rate_apr AND 1000 AND max_rate_apr = round(max_rate_apr, 6)),
    is_default boolean NOT NULL,
    active boolean NOT NULL,
    -- The terms of a loan, complete, as the interface shows them.
    terms jsonb NOT NULL CHECK (jsonb_typeof(terms) = 'object'),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- A currency has at most one default that is open.
CREATE UNIQUE INDEX products_one_default ON products (currency) WHERE is_default AND active;
CREATE INDEX products_by_time ON products (created_at DESC, code DESC);

CREATE TABLE product_versions (
    LIKE products INCLUDING CONSTRAINTS,
    -- When this version was made, and by whom; null for the seed catalogue.
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    by_id uuid REFERENCES users (id),
    PRIMARY KEY (code, version)
);
ALTER TABLE product_versions DROP COLUMN created_at, DROP COLUMN updated_at;
CREATE TRIGGER product_versions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON product_versions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- No version without its entry, checked at commit.
ALTER TABLE products ADD CONSTRAINT products_version_recorded FOREIGN KEY (code, version)
    REFERENCES product_versions (code, version) DEFERRABLE INITIALLY DEFERRED;

CREATE FUNCTION check_product_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF (NEW.code, NEW.currency, NEW.created_at) IS DISTINCT FROM (OLD.code, OLD.currency, OLD.created_at) THEN
        RAISE EXCEPTION 'a product keeps code, currency and time of creation'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'products_fixed';
    END IF;
    IF NEW.version <> OLD.version + 1 THEN
        RAISE EXCEPTION 'a change of a product makes the next version'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'products_next_version';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER products_check_change BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION check_product_change();
CREATE TRIGGER products_keep BEFORE DELETE OR TRUNCATE ON products FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON products, product_versions TO microloans_app;
GRANT UPDATE (version, name, min_amount, max_amount, min_instalments, max_instalments, min_rate_apr, max_rate_apr,
    is_default, active, terms, updated_at) ON products TO microloans_app;
