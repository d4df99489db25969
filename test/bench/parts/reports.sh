# shellcheck shell=bash disable=SC2154
# Reports on a year of cancellations: a question about a day, a table or a reason,
# to the same question without an index, and the history of one order.

order_count=$(scaled 5000000 50000)
year=$(scaled 1000000 10000)

# Of a day in a year, a table that has 1,000, and a reason that one in 5,000 has.
# What a common reason costs follows from its share: its records are everywhere. A
# report without a column for one of them is not asked.
declare -A conditions=(
	[cancellations_day]="requested_at >= '2025-05-04' AND requested_at < '2025-05-05'"
	[cancellations_table]="orders = 'shop.small'::regclass"
	[cancellations_reason]="reason = 'fraud'"
	[daily_summary_day]="day = '2025-05-04'"
	[daily_summary_table]="orders = 'shop.small'::regclass"
	[reason_summary_table]="orders = 'shop.small'::regclass"
	[reason_summary_reason]="reason = 'fraud'"
	[timeline_day]="at >= '2025-05-04' AND at < '2025-05-05'"
	[timeline_reason]="reason = 'fraud'"
	[timeline_table]="orders = 'shop.small'::regclass"
)

# A column that each record decides.
declare -A columns=([cancellations]=order_id [daily_summary]=requested [reason_summary]=requested [timeline]=order_id)

# Not all columns of a timeline: to find the event before each one without an
# index would take hours.
ask() # VIEW CONDITION [SETTING]
{
	local question="SELECT count(v.orders) FROM ordcancel.$1 AS v WHERE $2;"

	case $1 in timeline) question=${question/v.orders/concat(v.at, v.who, v.what)} ;; esac
	cost 1 "${3:-SET jit = off}; $question" "$question" year
}

# A condition on the table decides what is scanned. The question to compare it
# with is written so that each record has to be read, by the same indexes.
no_index="SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off"

for name in "${!conditions[@]}"; do
	condition=${conditions[$name]}
	without=$no_index
	eval "${name}() { ask ${name%_*} \"$condition\"; }"
	case $name in *_table)
		without=
		condition="CASE WHEN ${columns[${name%_*}]} IS NOT NULL THEN orders END = 'shop.small'::regclass"
		;;
	esac
	eval "${name}_without() { ask ${name%_*} \"$condition\" '$without'; }"
done

history() # DATABASE
{
	cost 200 "SELECT FROM ordcancel.timeline('shop.orders', 1);" \
		"DO \$\$ BEGIN FOR i IN 1 .. 200 LOOP PERFORM FROM ordcancel.timeline('shop.orders', i); END LOOP; END \$\$;" \
		"$1"
}

history_year() { history year; }
history_little() { history small_year; }

# A report over the year, and its dearest part, which counts all records once.
report_page()
{
	cost 1 "SELECT ordcancel.cancel_report('shop.small', '2025-01-01', '2026-01-01');" \
		"SELECT ordcancel.cancel_report('shop.orders', '2025-01-01', '2026-01-01');" year
}

report_aggregate()
{
	cost 1 "SELECT ordcancel.cancel_report('shop.small', '2025-01-01', '2026-01-01');" \
		"SELECT ordcancel_internal.report_groups(ordcancel_internal.report_query('cancellations', 'shop.orders'),
			ordcancel_internal.report_period('2025-01-01', '2026-01-01'));" year
}

make_year() # DATABASE ORDERS OLD
{
	as_user createdb "$1" &&
		sql "$1" -v n="$2" -v old="$3" -f test/bench/sql/orders.sql -f test/bench/sql/year.sql >/dev/null &&
		sql "$1" -c 'VACUUM (FREEZE, ANALYZE)' -c CHECKPOINT
}

measure()
{
	local name

	make_year year "$order_count" "$year" && make_year small_year 1000 200 || return
	for name in $(printf '%s\n' "${!conditions[@]}" | sort); do
		take "$name" "${name}_without" || return
		figure "${name%_*}, ${name##*_}, of $year, to without an index" '<= 0.02' µs "$name / ${name}_without"
	done
	take report_page report_aggregate || return
	figure "cancel_report of $year in a year, to its dearest aggregate" '<= 2' µs 'report_page / report_aggregate'
	take history_year history_little || return
	figure "timeline of an order, $year cancellations to 200" '<= 1.15' µs 'history_year / history_little'
}
