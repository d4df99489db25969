-- What a superuser does once, for a role that runs Django's tests.
CREATE ROLE shop_test LOGIN CREATEDB;
ALTER ROLE shop_test SET ordcancel.allow_truncate = on;
CREATE DATABASE shop_template IS_TEMPLATE true;
\connect shop_template
CREATE EXTENSION ordcancel;
CREATE SCHEMA audit;
GRANT USAGE, CREATE ON SCHEMA audit TO shop_test;
GRANT EXECUTE ON FUNCTION ordcancel.attach, ordcancel.detach, ordcancel.set_policy, ordcancel.set_rule TO shop_test;
SELECT ordcancel.grant_merchant('shop_test');
