# shellcheck shell=bash disable=SC2154
# Many attached tables, few of which have anything open: the reports and a sweep
# with nothing to do, to the same through the parent of the record tables.

# Each statement is planned, as where a client sends it.
repeated() # TIMES STATEMENT
{
	local i text=''

	for ((i = 0; i < $1; i++)); do
		text+="$2;"$'\n'
	done
	cost "$1" "$2;" "$text" tables
}

pending() { repeated 50 'SELECT count(v) FROM ordcancel.pending_requests AS v'; }
pending_parent() { repeated 5 'SELECT count(v) FROM parent.pending_requests AS v'; }
refunds() { repeated 50 'SELECT count(v) FROM ordcancel.refunds_due AS v'; }
refunds_parent() { repeated 5 'SELECT count(v) FROM parent.refunds_due AS v'; }
swept() { repeated 50 'CALL ordcancel.sweep()'; }
swept_parent() { repeated 5 'SELECT count(v) FROM parent.overdue AS v'; }
one() { repeated 50 "SELECT count(v) FROM ordcancel.pending_requests('shop.orders_1') AS v"; }

locks_of() # STATEMENT
{
	sql tables <<-SQL
		BEGIN;
		\o /dev/null
		$1;
		\o
		SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid();
		ROLLBACK;
	SQL
}

locks() { locks_of 'SELECT count(v) FROM ordcancel.pending_requests AS v; CALL ordcancel.sweep()'; }
locks_parent() { locks_of 'SELECT count(v) FROM parent.pending_requests AS v'; }

measure()
{
	local tables

	tables=$(scaled 1000 20)
	template tables "$tables" tables || return
	take pending pending_parent && take refunds refunds_parent && take swept swept_parent &&
		take one && take locks locks_parent || return
	figure "pending_requests of $tables tables, to the same through the parent" '<= 0.02' µs 'pending / pending_parent'
	figure "refunds_due of $tables tables, to the same through the parent" '<= 0.02' µs 'refunds / refunds_parent'
	figure "a sweep with nothing to do, to a search through the parent" '<= 0.02' µs 'swept / swept_parent'
	figure "pending_requests of one of the tables, to that of all" '<= 0.2' µs 'one / pending'
	figure "locks held after pending_requests and a sweep, to one report through the parent" '<= 0.01' '' \
		'locks / locks_parent'
}
