# shellcheck shell=bash disable=SC2154
# Read by the three bench scripts: a server to measure on, databases with fresh
# rows, sides that run in turn, and figures that are judged.
#
# A side is a function that prints one number; a figure is an expression over
# the names of sides. Rows of the table gather in $work/figures.

scale=${SCALE:-full}
rounds=5
[ "$scale" = full ] || rounds=1

# Microseconds, as a backend sees them. The processor's are steadier where
# others use the machine.
clock='1000000 * extract(epoch FROM clock_timestamp())'
[ "${CLOCK:-}" != cpu ] || clock="split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::numeric / 1000"

# Where numbers of sides and rows of the table go.
figures_here()
{
	mkdir -p "$work/numbers" && : >"$work/figures"
}

scaled() # FULL SMALL
{
	if [ "$scale" = full ]; then echo "$1"; else echo "$2"; fi
}

sql() # DATABASE ARGUMENT...
{
	local db=$1

	shift
	as_user psql -XqAt -v ON_ERROR_STOP=1 -d "$db" "$@"
}

# Nothing may run that was not asked for, and all that is measured fits in
# memory: the figures are about work, not about disks.
bench_server()
{
	local buffers

	figures_here && server_up || return
	buffers=$(awk '/^MemTotal/ { mb = int($2 / 4096); print (mb > 4096 ? 4096 : mb) }' /proc/meminfo)
	as_user tee -a "$PGDATA/postgresql.conf" >/dev/null <<-CONF
		shared_buffers = '${buffers}MB'
		autovacuum = off
		checkpoint_timeout = '1h'
		max_wal_size = '8GB'
		jit = off
		client_min_messages = warning
	CONF
	as_user pg_ctl -s -w -l "$work/server.log" restart || return
}

# A database to be copied, with n orders and what the files of sql/ make.
template() # NAME ORDERS FILE...
{
	local name=$1 n=$2 file files=()

	shift 2
	for file; do
		files+=(-f "test/bench/sql/$file.sql")
	done
	as_user createdb "$name" &&
		sql "$name" -v n="$n" "${files[@]}" >/dev/null &&
		sql "$name" -c 'VACUUM (FREEZE, ANALYZE)' -c CHECKPOINT
}

# The database run, with rows that nobody has touched yet.
fresh() # TEMPLATE
{
	as_user dropdb --if-exists --force run 2>/dev/null &&
		as_user createdb -T "$1" run &&
		sql run -c CHECKPOINT
}

has() # TEMPLATE FUNCTION
{
	[ "$(sql "$1" -c "SELECT count(*) FROM pg_proc
		WHERE pronamespace = 'ordcancel'::regnamespace AND proname = '$2'")" -gt 0 ]
}

# Microseconds for each of the orders that a statement works on, in a session
# of its own that has warmed up.
cost() # ORDERS WARM-UP STATEMENT [DATABASE]
{
	sql "${4:-run}" <<-SQL
		\o /dev/null
		$2
		SELECT $clock AS began \gset
		$3
		\o
		SELECT ($clock - :began) / $1;
	SQL
}

# Runs the sides in turn, there and back, so that none is always the first.
take() # SIDE...
{
	local i side value order

	for side; do
		rm -f "$work/numbers/$side"
	done
	for ((i = 0; i < rounds; i++)); do
		order=("$@")
		((i % 2)) && mapfile -t order < <(printf '%s\n' "$@" | tac)
		for side in "${order[@]}"; do
			if ! value=$("$side") || [[ ! $value =~ ^-?[0-9] ]]; then
				echo "$side failed: $value" >&2
				return 1
			fi
			echo "$value" >>"$work/numbers/$side"
		done
	done
}

# Median, least and greatest of the lines.
summary()
{
	sort -g | awk '{ v[NR] = $1 }
		END { m = int((NR + 1) / 2); print NR % 2 ? v[m] : (v[m] + v[m + 1]) / 2, v[1], v[NR] }'
}

middle() # SIDE
{
	summary <"$work/numbers/$1" | awk '{ printf ($1 < 10 ? "%.2f" : $1 < 100 ? "%.1f" : "%.0f"), $1 }'
}

row() # NAME OURS PEER RATIO SPREAD TARGET VERDICT
{
	local IFS='|'

	echo "$*" >>"$work/figures"
	printf '%-70s ratio %s (%s), target %s: %s\n' "$1" "$4" "$5" "$6" "$7"
}

# The first side that the expression names is ours, the one behind the last
# "/" that with which it is compared. Each round has a ratio of its own; their
# median counts. A target "-" is none.
figure() # NAME TARGET UNIT EXPRESSION
{
	local name=$1 target=$2 unit=$3 expression=$4 sides side files=() set='' peer
	local ratio least greatest verdict

	mapfile -t sides < <(grep -oE '[a-z][a-z_0-9]*' <<<"$expression" | awk '!seen[$0]++')
	for side in "${sides[@]}"; do
		files+=("$work/numbers/$side")
		set+="$side = \$${#files[@]}; "
	done
	peer=$(grep -oE '[a-z][a-z_0-9]*' <<<"${expression##*/}" | head -n 1)
	read -r ratio least greatest < <(paste -d' ' "${files[@]}" | awk "{ $set print $expression }" | summary)
	verdict=$(awk -v r="$ratio" -v t="$target" 'BEGIN {
		split(t, part, " ")
		print (t == "-" ? "" : (part[1] == "<=" ? r <= part[2] + 0 : r >= part[2] + 0) ? "pass" : "MISSED") }')
	row "$name" "$(middle "${sides[0]}") $unit" "$(middle "$peer") $unit" "$(printf %.3f "$ratio")" \
		"$(printf '%.3f–%.3f' "$least" "$greatest")" "$target" "$verdict"
}

# What is measured is not in this version.
absent() # NAME TARGET
{
	row "$1" - - - - "$2" 'not there yet'
}
