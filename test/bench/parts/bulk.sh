# shellcheck shell=bash disable=SC2154
# Many orders at once: to one set-based statement, and to themselves when there
# are more of them. Conditions are ranges of the key, so that finding the
# orders costs a small batch no more than a great one.

floor() # SOURCE ANNOUNCED [DATA]
{
	fresh bulk && cost "$n" "SELECT 'PREPARE write_all(bigint[]) AS '
		|| bare.statement('id = ANY (\$1)', '$1', $2, true, \$\$${3:-NULL}\$\$) \\gexec" \
		"EXECUTE write_all(bare.ids(1, $n));"
}

orders() # NOTIFY
{
	local call="SELECT count(*) FROM ordcancel.cancel_orders('shop.orders', ARRAY(SELECT generate_series(%s::bigint,
			%s)), 'out_of_stock', NULL, 'anna');"

	# shellcheck disable=SC2059
	fresh bulk && cost "$n" "SET ordcancel.notify = $1; $(printf "$call" $((n + 1)) $((n + 10)))" \
		"$(printf "$call" 1 "$n")"
}

call_batch() # FIRST LAST
{
	echo "CALL ordcancel.cancel_batch('shop.orders', 'id BETWEEN $1 AND $2', 'out_of_stock', NULL, 'anna');"
}

batch() # NOTIFY
{
	fresh bulk && cost "$n" "SET ordcancel.notify = $1; $(call_batch $((n + 1)) $((n + 10)))" "$(call_batch 1 "$n")"
}

orders_ours() { orders commit; }
orders_silent() { orders off; }
orders_bare() { floor cancel_orders true; }
orders_bare_silent() { floor cancel_orders false; }
batch_ours() { batch commit; }
batch_silent() { batch off; }
batch_bare() { floor cancel_batch true "'{\"batch\": 1}'"; }
batch_bare_silent() { floor cancel_batch false "'{\"batch\": 1}'"; }

# Private memory of the one session in the database, at its greatest, in kB.
# What it has mapped of shared_buffers is not in it.
watch() # PID-OF-PSQL
{
	local pid='' now=0 peak=0

	while kill -0 "$1" 2>/dev/null; do
		[ -n "$pid" ] || pid=$(sql postgres -c "SELECT pid FROM pg_stat_activity WHERE datname = 'run'")
		now=$(sed -n 's/^RssAnon:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/${pid:-none}/status" 2>/dev/null)
		peak=$((${now:-0} > peak ? now : peak))
		sleep 0.1
	done
	echo "$peak"
}

# One batch, or many small ones; the memory goes into a file of its own.
one_batch() # ORDERS SIDE
{
	local out=$work/batch.out

	fresh great || return
	cost "$1" "$(call_batch $((many + 1)) $((many + 10)))" "$(call_batch 1 "$1")" >"$out" &
	watch $! >>"$work/numbers/memory_$2"
	wait $! && cat "$out"
}

great() { one_batch "$many" great; }
tenth() { one_batch $((many / 10)) tenth; }

small()
{
	local calls='' i

	for ((i = 0; i < batches; i++)); do
		calls+=$(call_batch $((i * few + 1)) $(((i + 1) * few)))
	done
	fresh great && cost $((batches * few)) "$(call_batch $((many + 1)) $((many + 10)))" "$calls"
}

against_floor() # FUNCTION SIDE NAME TARGET
{
	if has bulk "$1"; then
		take "$2_ours" "$2_bare" "$2_silent" "$2_bare_silent" || return
		figure "$n orders by $1, to one set-based statement" "$3" µs "$2_ours / $2_bare"
		figure "$n orders by $1, no NOTIFY" "$3" µs "$2_silent / $2_bare_silent"
	else
		absent "$n orders by $1, to one set-based statement" "$3"
	fi
}

measure()
{
	n=$(scaled 100000 3000)
	many=$(scaled 1000000 10000)
	few=$(scaled 1000 100)
	batches=$(scaled 300 10)
	template bulk "$n" orders canceled floor || return
	against_floor cancel_orders orders '<= 1.25' || return
	against_floor cancel_batch batch '<= 1.5' || return
	if has bulk cancel_batch; then
		template great "$many" orders canceled || return
		rm -f "$work/numbers"/memory_*
		take great tenth small || return
		figure "an order in a batch of $many, to one in a batch of $few" '<= 1.2' µs 'great / small'
		figure "the other way round" '<= 1.2' µs 'small / great'
		figure "memory of the backend, batch of $many to one of $((many / 10))" '<= 1.1' kB \
			'memory_great / memory_tenth'
	else
		absent "an order in a batch of $many, to one in a batch of $few" '<= 1.2'
		absent "memory of the backend, batch of $many to one of $((many / 10))" '<= 1.1'
	fi
}
