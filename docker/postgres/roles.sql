-- Run once, by the superuser of a new local database; the passwords are for this machine alone.
-- The group that the migrations grant rights to, and the login that the functions connect with. The migrate function
-- makes both where they do not exist.
CREATE ROLE microloans_app NOLOGIN;
CREATE ROLE microloans LOGIN PASSWORD 'local-app' IN ROLE microloans_app;
