-- Attaches the sales of a database of Tryton 6.0. psql runs it as superuser once the
-- module sale is activated; Tryton connects as the role tryton.
CREATE EXTENSION ordcancel;
\ir rules.sql
\ir features.sql
\if :reopen
\ir reopen.sql
\endif
\if :also
\ir also.sql
\endif
\if :key_expression
\ir children.sql
\else
\ir children-by-trigger.sql
\endif
\if :payments
\ir payments.sql
\endif
