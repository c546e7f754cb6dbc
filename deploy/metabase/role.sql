-- The user that Metabase reads with: the views of `reporting` and nothing else. Run it as the owner of SubiteYa's
-- tables (who may make users), in SubiteYa's database, after `manage.py migrate`; again to change the password:
--   psql "$DATABASE_URL" --set ON_ERROR_STOP=1 --set password="$(cat secrets/metabase_reader)" --file deploy/metabase/role.sql
BEGIN;
SELECT 'CREATE ROLE subiteya_reader LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'subiteya_reader')
\gexec
ALTER ROLE subiteya_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION CONNECTION LIMIT 10
    PASSWORD :'password';
-- A question that somebody forgot to narrow must not keep the workers from their rows.
ALTER ROLE subiteya_reader SET statement_timeout = '30s';
ALTER ROLE subiteya_reader SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE subiteya_reader SET default_transaction_read_only = on;
ALTER ROLE subiteya_reader SET search_path = reporting;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM subiteya_reader;
GRANT USAGE ON SCHEMA reporting TO subiteya_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO subiteya_reader;
-- Every migration makes the views anew.
ALTER DEFAULT PRIVILEGES IN SCHEMA reporting GRANT SELECT ON TABLES TO subiteya_reader;
COMMIT;
