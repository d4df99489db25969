/*
 * record_columns.c — the columns of the record tables and their positions
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "base/relid_cache.h"
#include "decision/refusal.h"
#include "rows/record.h"
#include "rows/record_columns.h"
#include "rows/record_open.h"

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
	{"scope", TEXTOID},
	{"refund_owed", NUMERICOID},
	{"metadata", JSONBOID},
	{"prior_values", JSONBOID},
	{"refund_kept", NUMERICOID},
	{"first_closed_at", TIMESTAMPTZOID},
	{NULL, InvalidOid},
};

const RecordColumn item_columns[] = {
	{"cancellation_id", INT8OID}, {"item_key", TEXTOID},
	{"quantity", NUMERICOID},	  {"refund_due", NUMERICOID},
	{"reason", TEXTOID},		  {"note", TEXTOID},
	{"prior_status", TEXTOID},	  {"restored", NUMERICOID},
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
	{"request_key", TEXTOID}, {"xid", INT8OID},
	{"cluster", INT8OID},	  {"orders", TEXTOID},
	{NULL, InvalidOid},
};

/* Returns 0 if there is no such column. */
static AttrNumber
column_number(Relation rel, const char *name, Oid type, int32 typmod)
{
	TupleDesc		  desc = RelationGetDescr(rel);
	int				  attnum = SPI_fnumber(desc, name);
	Form_pg_attribute att;

	if (attnum <= 0)
		return 0;
	att = TupleDescAttr(desc, attnum - 1);
	return att->atttypid == type && att->atttypmod == typmod &&
			!att->attgenerated ?
		attnum :
		0;
}

bool
record_find_columns(AttrNumber *attnums, const RecordColumn *columns,
					Relation rel)
{
	for (; columns->name; columns++, attnums++)
		if ((*attnums = column_number(rel, columns->name, columns->type,
									  -1)) == 0)
			return false;
	return true;
}

static AttrNumber
find_column(Relation rel, const char *name, Oid type, int32 typmod)
{
	AttrNumber attnum = column_number(rel, name, type, typmod);

	if (attnum > 0)
		return attnum;
	refusal_raise_invalid_policy(
		psprintf("record table \"%s\" does not match its order table",
				 RelationGetRelationName(rel)),
		psprintf("It has no column \"%s\" of type %s.", name,
				 format_type_with_typemod(type, typmod)),
		"Call ordcancel.attach() again.");
}

/* The positions in one record table, for the OrderTable of that serial. */
typedef struct MapEntry
{
	RelidCacheEntry cached;
	uint64			serial;
	RecordMap		map;
} MapEntry;

static RelidCache maps;

void
record_columns_init(void)
{
	relid_cache_init(&maps, "ordcancel record columns", sizeof(MapEntry));
}

static void
find_columns(RecordMap *map, const RecordColumn *columns,
			 const RecordKeys *keys, Relation rel)
{
	int n = 0;

	for (; columns[n].name; n++)
		map->attnums[n] = find_column(rel, columns[n].name, columns[n].type,
									  -1);
	for (int i = 0; i < keys->count; i++, n++)
		map->attnums[n] = find_column(rel, keys->names[i],
									  keys->columns[i].type,
									  keys->columns[i].typmod);
}

RecordKeys
record_keys_of_order(const OrderTable *table)
{
	return (RecordKeys){table->serial, table->keys, table->record_keys,
						table->nkeys};
}

/* The lock on the record table has brought its invalidations in. */
void
record_map(RecordMap *map, const RecordColumn *columns, const RecordKeys *keys,
		   Relation rel)
{
	MapEntry *entry = relid_cache_enter(&maps, RelationGetRelid(rel));

	if (!entry->cached.valid || entry->serial != keys->serial)
	{
		entry->cached.valid = false; /* in case of an error */
		find_columns(&entry->map, columns, keys, rel);
		entry->serial = keys->serial;
		entry->cached.valid = true;
	}
	*map = entry->map;
}

bool
record_map_known(RecordMap *map, const RecordKeys *keys, Oid relid)
{
	const MapEntry *entry = relid_cache_enter(&maps, relid);

	if (!entry->cached.valid || entry->serial != keys->serial)
		return false;
	*map = entry->map;
	return true;
}

static Oid
type_of_column(const char *name)
{
	const RecordColumn *const kinds[] = {cancellation_columns, event_columns,
										 item_columns};

	for (int i = 0; i < lengthof(kinds); i++)
		for (const RecordColumn *column = kinds[i]; column->name; column++)
			if (strcmp(column->name, name) == 0)
				return column->type;
	return InvalidOid;
}

int
record_column(Relation rel, const char *name)
{
	int attnum = SPI_fnumber(RelationGetDescr(rel), name);
	Oid type = type_of_column(name);

	if (attnum > 0 && OidIsValid(type))
		return find_column(rel, name, type, -1);
	if (attnum <= 0)
		record_raise_missing(psprintf("Table \"%s\" has no column \"%s\".",
									  RelationGetRelationName(rel), name));
	return attnum;
}
