/*
 * call_key.c — the order that a call names by the first columns of its key
 *
 * A role that does not see all orders must not learn the keys of others, nor
 * that there are any.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/text.h"
#include "config/run_as.h"
#include "entry/call_key.h"
#include "rows/order_call_key.h"
#include "rows/order_key.h"
#include "rows/visibility.h"

static void
keep_visible(OrderTable *table, List **keys, ReadSnapshot snapshot)
{
	ListCell *lc;

	if (visibility_sees_all(table->relid))
		return;
	foreach(lc, *keys)
		if (!(snapshot == READ_CALLER ?
				  visibility_role_sees(table, lfirst(lc), GetUserId()) :
				  visibility_sees_order(table, lfirst(lc))))
			*keys = foreach_delete_current(*keys, lc);
}

pg_noreturn static void
raise_ambiguous(const OrderTable *table, Datum value, Oid type,
				const List *keys)
{
	ereport(ERROR,
			(errcode(ERRCODE_CARDINALITY_VIOLATION),
			 errmsg("order id %s of %s is not unique",
					text_clip(order_key_given(value, false, type), 80),
					table->label),
			 errdetail("Orders %s and %s have it.",
					   text_clip(order_key_text(table, linitial(keys)), 80),
					   text_clip(order_key_text(table, lsecond(keys)), 80)),
			 errhint("Pass the whole primary key.")));
}

Datum *
call_key_resolve(OrderTable *table, Datum value, Oid type,
				 ReadSnapshot snapshot, char **why)
{
	Datum	   prefix[INDEX_MAX_KEYS];
	RunAsScope scope;
	List	  *keys = NIL;

	run_as_owner_spi(&scope, table);
	if (order_call_key_read(table, value, false, type, prefix, why))
		keys = order_call_key_find(table, prefix, snapshot);
	run_as_end_spi(&scope);
	keep_visible(table, &keys, snapshot);
	if (list_length(keys) > 1)
		raise_ambiguous(table, value, type, keys);
	return keys ? linitial(keys) : NULL;
}
