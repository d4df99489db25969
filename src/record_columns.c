/*
 * record_columns.c — the columns of the record tables, and where they are
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "record_columns.h"

const RecordColumn cancellation_columns[] = {
	{"cancellation_id", INT8OID},
	{"order_key", TEXTOID},
	{"state", TEXTOID},
	{"requested_by", TEXTOID},
	{"requested_actor", TEXTOID},
	{"decided_by", TEXTOID},
	{"decided_actor", TEXTOID},
	{"reason", TEXTOID},
	{"note", TEXTOID},
	{"decision_note", TEXTOID},
	{"undo_note", TEXTOID},
	{"prior_status", TEXTOID},
	{"policy", TEXTOID},
	{"request_key", TEXTOID},
	{"refund_due", NUMERICOID},
	{"refunded", NUMERICOID},
	{"requested_at", TIMESTAMPTZOID},
	{"decided_at", TIMESTAMPTZOID},
	{"closed_at", TIMESTAMPTZOID},
	{"deadline", TIMESTAMPTZOID},
	{"order_status", TEXTOID},
	{NULL, InvalidOid},
};

const RecordColumn event_columns[] = {
	{"event_id", INT8OID},	  {"cancellation_id", INT8OID},
	{"order_key", TEXTOID},	  {"type", TEXTOID},
	{"from_status", TEXTOID}, {"to_status", TEXTOID},
	{"state", TEXTOID},		  {"party", TEXTOID},
	{"actor", TEXTOID},		  {"session_role", NAMEOID},
	{"reason", TEXTOID},	  {"data", JSONBOID},
	{"at", TIMESTAMPTZOID},	  {"source", TEXTOID},
	{"request_key", TEXTOID}, {"xid", XID8OID},
	{NULL, InvalidOid},
};

/* Columns are looked for at their own place first. */
static AttrNumber
find_column(TupleDesc desc, int guess, const char *name, Oid type,
			int32 typmod)
{
	for (int i = 0; i <= desc->natts; i++)
	{
		int				  n = i == 0 ? guess : i - 1;
		Form_pg_attribute att;

		if (n >= desc->natts)
			continue;
		att = TupleDescAttr(desc, n);
		if (att->attisdropped || strcmp(NameStr(att->attname), name) != 0)
			continue;
		/* A precision of the owner's would round what we put there. */
		return att->atttypid == type && att->atttypmod == typmod &&
				!att->attgenerated ?
			n + 1 :
			InvalidAttrNumber;
	}
	return InvalidAttrNumber;
}

bool
record_map(RecordMap *map, const RecordColumn *columns,
		   const OrderTable *table, TupleDesc desc)
{
	int n = 0;
	int present = 0;

	for (; columns[n].name; n++)
		map->attnums[n] = find_column(desc, n, columns[n].name,
									  columns[n].type, -1);
	for (int i = 0; i < table->nkeys; i++, n++)
		map->attnums[n] = find_column(desc, n, table->record_keys[i],
									  table->keys[i].type,
									  table->keys[i].typmod);
	map->count = n;
	for (int i = 0; i < n; i++)
		if (map->attnums[i] == InvalidAttrNumber)
			return false;
	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			present++;
	map->complete = present == n;
	return true;
}
