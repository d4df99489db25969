# shellcheck shell=bash disable=SC2154
# A year of records moves to archives, to an INSERT ... SELECT of the same rows;
# and what archives cost the calls beside them.

year=$(scaled 1000000 10000)
calls=$(scaled 20000 500)
rounds=$(scaled 3 1)

# As many orders as records, and some to cancel. The statistics are those of the
# template.
make_template()
{
	as_user createdb records &&
		sql records -v n=$((year + 2 * calls)) -v old="$year" -f test/bench/sql/orders.sql -f test/bench/sql/year.sql \
			>/dev/null &&
		sql records -c "CREATE SCHEMA copy
			CREATE TABLE cancellation (LIKE shop.orders_cancellation)
			CREATE TABLE event (LIKE shop.orders_cancellation_event)
			CREATE TABLE bare_cancellation (LIKE shop.orders_cancellation)
			CREATE TABLE bare_event (LIKE shop.orders_cancellation_event)" \
			-c "ALTER TABLE copy.cancellation ADD PRIMARY KEY (cancellation_id)" \
			-c "CREATE INDEX ON copy.cancellation (order_id, cancellation_id)" \
			-c "CREATE INDEX ON copy.cancellation (requested_at)" \
			-c "ALTER TABLE copy.event ADD PRIMARY KEY (event_id)" \
			-c "CREATE INDEX ON copy.event (cancellation_id)" \
			-c "CREATE UNIQUE INDEX ON copy.event (request_key) WHERE request_key IS NOT NULL" \
			-c 'VACUUM (FREEZE, ANALYZE)' -c CHECKPOINT
}

# The rows that archive_records() moves: all that closed in the year.
insert_select() # PREFIX
{
	fresh records && cost "$year" 'SELECT 1;' "
		BEGIN;
		INSERT INTO copy.${1}cancellation SELECT * FROM shop.orders_cancellation;
		INSERT INTO copy.${1}event
		SELECT e.* FROM shop.orders_cancellation_event AS e JOIN shop.orders_cancellation AS c USING (cancellation_id);
		COMMIT;"
}

copied() { insert_select ''; }
copied_bare() { insert_select bare_; }

archived()
{
	local value

	fresh records &&
		value=$(cost "$year" 'SELECT 1;' "SELECT ordcancel.archive_records('shop.orders', '-1 day');") &&
		[ "$(sql run -c 'SELECT count(*) FROM ONLY shop.orders_cancellation')" -eq 0 ] && echo "$value"
}

# The commit does not wait for the disk, see large.sh.
cancel() # DATABASE
{
	cost "$calls" "SET synchronous_commit = off; SELECT ordcancel.cancel_order('shop.orders', $((year + 1)));" \
		"SELECT count(ordcancel.cancel_order('shop.orders', id, 'out_of_stock', NULL, 'anna'))
		FROM generate_series($year::bigint + 2, $year + 1 + $calls) AS id;"
}

cancel_archived() { fresh archives && cancel; }
cancel_plain() { fresh records && cancel; }

# The oldest and the newest archive.
undo() # ORDER
{
	cost "$calls" "SET synchronous_commit = off; SELECT ordcancel.undo_cancel('shop.orders', $1 - 8);" \
		"SELECT count(ordcancel.undo_cancel('shop.orders', $1 + 10 * id))
		FROM generate_series(0, $calls / 2 - 1) AS id;"
}

undo_archived() { fresh archives && undo 12; }
undo_plain() { fresh records && undo 12; }

dropped()
{
	fresh archives && cost 1 'SELECT 1;' "SELECT ordcancel.drop_archive('shop.orders', '2025-06-01');"
}

deleted()
{
	fresh records && cost 1 'SET session_replication_role = replica;' "
		BEGIN;
		DELETE FROM shop.orders_cancellation_event AS e USING shop.orders_cancellation AS c
		WHERE e.cancellation_id = c.cancellation_id
			AND c.closed_at >= '2025-06-01+00' AND c.closed_at < '2025-07-01+00';
		DELETE FROM shop.orders_cancellation WHERE closed_at >= '2025-06-01+00' AND closed_at < '2025-07-01+00';
		COMMIT;"
}

measure()
{
	make_template && as_user createdb -T records archives &&
		sql archives -c "SELECT ordcancel.archive_records('shop.orders', '-1 day')" -c 'VACUUM (FREEZE, ANALYZE)' \
			-c CHECKPOINT >/dev/null || return
	take archived copied copied_bare || return
	figure "$year records to archives, to an INSERT ... SELECT of them" '<= 2' µs 'archived / copied'
	figure '... without indexes' - µs 'archived / copied_bare'
	rounds=$(scaled 7 1) # two that differ little
	take cancel_archived cancel_plain || return
	figure "a cancellation beside 12 archives, to without" '<= 1.05' µs 'cancel_archived / cancel_plain'
	rounds=$(scaled 3 1)
	take undo_archived undo_plain || return
	figure 'an undo whose record is in an archive, to one in the record table' - µs 'undo_archived / undo_plain'
	take dropped deleted || return
	figure 'a month dropped, to a DELETE' '<= 0.1' µs 'dropped / deleted'
}
