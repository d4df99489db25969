# shellcheck shell=bash disable=SC2154,SC2034
# Many shops in one database, a schema for each, at the default settings of the
# server: what a call, a report, a sweep and a consumer cost with one attached
# table, with a thousand and with 2,500, how many locks they hold, and what a
# session keeps in memory that has used all of the tables.

clock="split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::numeric / 1000"

# All but what the tests set themselves.
default_settings()
{
	as_user tee -a "$PGDATA/postgresql.conf" >/dev/null <<-CONF
		shared_buffers = '128MB'
		jit = on
	CONF
	as_user pg_ctl -s -w -l "$work/server.log" restart
}

# Databases shops_1, shops_few and shops_many.
shops() # FEW MANY
{
	local name last=0

	for name in one few many; do
		case $name in one) n=1 ;; few) n=$1 ;; many) n=$2 ;; esac
		if [ $name = one ]; then as_user createdb shops_one; else as_user createdb -T "$source" "shops_$name"; fi &&
			sql "shops_$name" -v a=$((last + 1)) -v b="$n" -f test/bench/sql/shops.sql >/dev/null || return
		source=shops_$name
		last=$n
	done
	for name in one few many; do
		sql "shops_$name" -c 'VACUUM (FREEZE, ANALYZE)' -c CHECKPOINT || return
	done
}

# Ten tables are attached in a session that has attached one.
attached() # DATABASE
{
	sql "$1" <<-SQL
		SET client_min_messages = error;
		BEGIN;
		\o /dev/null
		SELECT format('CREATE TABLE public.orders_%s (id bigint PRIMARY KEY, status text, placed_at timestamptz)', i)
		FROM generate_series(0, 10) AS i \gexec
		SELECT ordcancel.attach('public.orders_0', 'status');
		SELECT $clock AS began \gset
		SELECT format('SELECT ordcancel.attach(''public.orders_%s'', ''status'', placed_at => ''placed_at'')', i)
		FROM generate_series(1, 10) AS i \gexec
		\o
		SELECT ($clock - :began) / 10;
	SQL
}
attach_one() { attached shops_one; }
attach_few() { attached shops_few; }
attach_many() { attached shops_many; }

# Each statement is planned, as where a client sends it.
repeated() # DATABASE TIMES STATEMENT
{
	local i text=''

	for ((i = 0; i < $2; i++)); do
		text+="$3;"$'\n'
	done
	cost "$2" "$3;" "$text" "$1"
}

# For each table one look into its primary key, as a join does it.
probe="SELECT count(o.status) FROM generate_series(1, :tables) AS n (n),
	LATERAL (SELECT status FROM shop_1.orders WHERE id = n % 20 OFFSET 0) AS o"
probes() { repeated shops_many 20 "${probe/:tables/$many}"; }
sweep_many() { repeated shops_many 20 'CALL ordcancel.sweep()'; }
events_many() { repeated shops_many 20 "SELECT * FROM ordcancel.next_events('all')"; }
one_events_one() { repeated shops_one 200 "SELECT * FROM ordcancel.next_events('one')"; }
one_events_many() { repeated shops_many 200 "SELECT * FROM ordcancel.next_events('one')"; }

reports="SELECT * FROM ordcancel.pending_requests('shop_1.orders');
	SELECT * FROM ordcancel.refunds_due('shop_1.orders');
	SELECT * FROM ordcancel.timers('shop_1.orders'); SELECT * FROM ordcancel.cancellations('shop_1.orders');
	SELECT * FROM ordcancel.timeline('shop_1.orders'); SELECT * FROM ordcancel.timeline('shop_1.orders', 1);
	SELECT * FROM ordcancel.daily_summary('shop_1.orders'); SELECT * FROM ordcancel.reason_summary('shop_1.orders');
	SELECT * FROM ordcancel.cancel_options('shop_1.orders', 3); SELECT * FROM ordcancel.overview('shop_1.orders')"
reports_one() { repeated shops_one 10 "$reports"; }
reports_many() { repeated shops_many 10 "$reports"; }
health_one() { repeated shops_one 10 "SELECT * FROM ordcancel.health('shop_1.orders')"; }
health_many() { repeated shops_many 10 "SELECT * FROM ordcancel.health('shop_1.orders')"; }

# Kept until the end of the transaction, beside the transaction's own.
locks_of() # DATABASE STATEMENT
{
	sql "$1" <<-SQL
		BEGIN;
		\o /dev/null
		$2;
		\o
		SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid();
		ROLLBACK;
	SQL
}
all_locks="CALL ordcancel.sweep(); SELECT * FROM ordcancel.next_events('all'); SELECT ordcancel.prune_events('1 year');
	SELECT ordcancel.rewind_consumer('all', now()); INSERT INTO ordcancel.reason (code) VALUES ('unused');
	DELETE FROM ordcancel.reason WHERE code = 'unused'; SELECT count(r) FROM ordcancel.pending_requests AS r;
	SELECT count(r) FROM ordcancel.order_table AS t, LATERAL ordcancel.daily_summary(t.orders) AS r; $reports"
locks_one() { locks_of shops_one "$all_locks"; }
locks_many() { locks_of shops_many "$all_locks"; }

# With few tables these are one scan.
views="SELECT count(v) FROM ordcancel.cancellations AS v; SELECT count(v) FROM ordcancel.timeline AS v;
	SELECT count(v) FROM ordcancel.daily_summary AS v; SELECT count(v) FROM ordcancel.reason_summary AS v"
locks_nothing() { locks_of shops_many 'SELECT 1'; }
locks_views() { locks_of shops_many "$views"; }
views_many() { repeated shops_many 1 "$views"; }
probes_once() { probes; }

# Kilobytes that a session keeps for each table: by its memory contexts, or as
# the kernel counts it.
kept() # BYTES SETTING STATEMENT-WITH-%1$s
{
	sql shops_many <<-SQL
		SET client_min_messages = error;
		$2;
		\o /dev/null
		SELECT format(\$f\$$3\$f\$, i) FROM generate_series(1, 1) AS i \gexec
		$1 AS before \gset
		SELECT format(\$f\$$3\$f\$, i) FROM generate_series(2, $many) AS i \gexec
		\o
		$1 AS after \gset
		SELECT (:after - :before) / 1024.0 / ($many - 1);
	SQL
}
contexts='SELECT (SELECT sum(total_bytes) FROM pg_backend_memory_contexts)'
rss="SELECT 1024 * (regexp_match(pg_read_file('/proc/self/status'), 'RssAnon:\\s+(\\d+)'))[1]::bigint"
ours="DO \$d\$ BEGIN PERFORM ordcancel.cancel_order('shop_%1\$s.orders', 20);
	PERFORM ordcancel.cancel_options('shop_%1\$s.orders', 19); ROLLBACK; END \$d\$"
plain="DO \$d\$ BEGIN UPDATE shop_%1\$s.orders SET status = 'canceled' WHERE id = 20;
	PERFORM status FROM shop_%1\$s.orders WHERE id = 20; ROLLBACK; END \$d\$"
no_guards='SET session_replication_role = replica'
memory_ours() { kept "$contexts" 'SELECT' "$ours"; }
memory_plain() { kept "$contexts" "$no_guards" "$plain"; }
rss_ours() { kept "$rss" 'SELECT' "$ours"; }
rss_plain() { kept "$rss" "$no_guards" "$plain"; }

measure()
{
	local few many n source

	few=$(scaled 1000 20)
	many=$(scaled 2500 50)
	rounds=$(scaled 15 1) # short ones, that differ more than what they measure
	default_settings && shops "$few" "$many" || return
	take attach_one attach_few attach_many && take probes sweep_many events_many &&
		take one_events_one one_events_many && take reports_one reports_many && take health_one health_many || return
	rounds=1
	take views_many probes_once && take locks_nothing locks_views || return
	take locks_one locks_many && take memory_ours memory_plain && take rss_ours rss_plain || return
	figure "attaching another table with $few attached, to the second one" '<= 1.5' µs 'attach_few / attach_one'
	figure "attaching another table with $many attached, to the second one" '<= 1.5' µs 'attach_many / attach_one'
	figure "a sweep of $many tables with nothing due, to as many index probes" '<= 5' µs 'sweep_many / probes'
	figure "next_events of all of $many tables with nothing new, to as many index probes" '<= 5' µs \
		'events_many / probes'
	figure "next_events of one of $many tables, to one of one" '<= 1.3' µs 'one_events_many / one_events_one'
	figure "the reports of one of $many tables, to those of one of one" '<= 1.3' µs 'reports_many / reports_one'
	figure "health of one of $many tables, to that of one of one" '<= 1.3' µs 'health_many / health_one'
	figure "locks held after sweep, next_events, prune_events and all reports, $many tables to one" '<= 1.2' '' \
		'locks_many / locks_one'
	figure "locks held after the views of everything, $many tables, to those of SELECT 1" - '' \
		'locks_views / locks_nothing'
	figure "the four views of everything with $many tables, to as many index probes" - µs 'views_many / probes_once'
	figure "kB that a session keeps for each of $many tables, less than those of plain statements" '<= 20' kB \
		'memory_ours - memory_plain'
	figure "kB of private memory for each of them, in the same way" - kB 'rss_ours - rss_plain'
}
