-- Attaches the sales of a database of Tryton 6.0. psql runs it as superuser once the
-- module sale is activated; Tryton connects as the role tryton.
CREATE EXTENSION ordcancel;
\ir rules.sql
\ir children.sql
