-- Puts the signing secret of a payment source in place of the same one that another key sealed. The functions' login
-- changes it in no other way.
CREATE FUNCTION seal_source_secret_again(of_source text, of_digest bytea, sealed bytea, again bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    UPDATE public.payment_source_secrets SET signing = again
    WHERE source = of_source AND digest = of_digest AND signing = sealed;
END
$$;
REVOKE ALL ON FUNCTION seal_source_secret_again(text, bytea, bytea, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION seal_source_secret_again(text, bytea, bytea, bytea) TO microloans_app;
