# shellcheck shell=bash disable=SC2154
# The table: on the terminal, and on demand as a section of doc/performance.md.

# Before anything of ours runs.
load=$(cut -d' ' -f1 /proc/loadavg)

machine()
{
	local cpu memory

	cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
	memory=$(awk '/^MemTotal/ { printf "%.0f GB", $2 / 1048576 }' /proc/meminfo)
	echo "${cpu:-$(uname -m)}, $(nproc) cores, $memory of memory, Linux $(uname -r)," \
		"load of $load before the beginning${CLOCK:+, clock: $CLOCK}"
	echo "$(sql postgres -c 'SHOW server_version' | sed 's/^/PostgreSQL /'), $(sql postgres -c "
		SELECT string_agg(name || ' = ' || current_setting(name), ', ' ORDER BY name) FROM pg_settings
		WHERE name IN ('shared_buffers', 'fsync', 'synchronous_commit', 'full_page_writes', 'autovacuum', 'jit',
		               'max_wal_size', 'checkpoint_timeout', 'work_mem')")" | sed 's/, full_page/,\nfull_page/'
}

# Padded here: what printf and awk take for a width are bytes, not letters.
table() # [published]
{
	local line cells i width=()

	{
		echo 'figure|ours|peer|ratio|all runs|target|'
		echo '|||||||'
		if [ "${1:-}" = published ]; then
			# Bare times are those of a machine that others use as well.
			awk -F'|' -v OFS='|' '$2 ~ / / { $2 = $3 = "" } { print }' "$work/figures"
		else
			cat "$work/figures"
		fi
	} >"$work/table"
	while IFS='|' read -ra cells; do
		for i in 0 1 2 3 4 5 6; do
			((${#cells[i]} <= ${width[i]:-1})) || width[i]=${#cells[i]}
		done
	done <"$work/table"
	while IFS= read -r line; do
		IFS='|' read -ra cells <<<"$line"
		for i in 0 1 2 3 4 5 6; do
			printf '| %s%*s ' "${cells[i]:-}" $((${width[i]:-1} - ${#cells[i]})) ''
		done | { if [ "$line" = '|||||||' ]; then tr ' ' - | sed 's/|-/| /g; s/-|/ |/g; s/-$/ /'; else cat; fi; }
		echo '|'
	done <"$work/table"
}

# Puts the lines of stdin into that section of the page. Its text is that of
# test/bench/performance.md; the other sections stay as they are.
write_section() # NAME
{
	local page=$top/doc/performance.md

	cat >"$work/section"
	[ -e "$page" ] || page=/dev/null
	awk -v name="$1" -v section="$work/section" '
		!fill { if ($0 ~ /^<!-- end of /) old = ""; if (old) kept[old] = kept[old] $0 "\n"
			if ($0 ~ /^<!-- [a-z-]+ -->$/) old = $2; next }
		{ print }
		/^<!-- [a-z-]+ -->$/ {
			if ($2 == name) while ((getline line < section) > 0) print line
			else printf "%s", kept[$2]
		}' "$page" fill=1 "$top/test/bench/performance.md" >"$work/page" && cat "$work/page" >"$top/doc/performance.md"
}

# Prints all, writes the page when asked, and ends with what it came to.
report() # SECTION
{
	local missed

	missed=$(awk -F'|' '$7 == "MISSED" || $7 == "not there yet"' "$work/figures" | wc -l)
	echo
	cat "$work/machine"
	echo
	table
	if [ -n "${WRITE:-}" ]; then
		{
			sed 's/$/  /' "$work/machine"
			echo
			table published
		} | write_section "$1"
		echo "written to doc/performance.md"
	fi
	echo
	echo "$(wc -l <"$work/figures") figures, $missed targets missed${broken:+, parts that broke off:$broken}"
	if [ "$scale" != full ]; then
		echo "SCALE=$scale: the ratios mean nothing"
		missed=0
	fi
	[ -s "$work/figures" ] && [ -z "$broken" ] && [ "$missed" -eq 0 ]
	exit
}

# Measures the parts that TESTS asks for, each in a subshell, since what it defines
# is its own; then the table. WRITE wants all of them at full scale.
measure_parts() # SECTION PART...
{
	local section=$1 part
	local wanted=()

	shift
	read -ra wanted <<<"${TESTS:-$*}"
	for part in "${wanted[@]}"; do
		[[ " $* " == *" $part "* ]] || die "no part $part; there are: $*"
	done
	[ -z "${WRITE:-}" ] || [ "$scale/${wanted[*]}" = "full/$*" ] || die "WRITE=1 wants the whole suite at full scale"

	prepare
	{ build && bench_server; } || die "could not make the server"
	machine >"$work/machine"
	broken=
	for part in "${wanted[@]}"; do
		echo "--- $part"
		# shellcheck disable=SC1090
		(. "test/bench/parts/$part.sh" && measure) || {
			broken+=" $part"
			tail -n 20 "$work/server.log"
		}
	done
	report "$section"
}
