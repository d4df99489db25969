/*
 * item_table_load.c — builds an ItemTable
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/index_form.h"
#include "base/virtual_columns.h"
#include "config/config_table.h"
#include "config/expression.h"
#include "config/item_table_load.h"
#include "config/order_table_check.h"
#include "config/order_table_columns.h"
#include "config/pinned_query.h"
#include "decision/refusal.h"

/* A row of ordcancel.item_table. */
typedef struct Registration
{
	int	   norder_keys;
	char **order_keys;
	int	   nkeys;
	char **item_key;
	int	   nrecord_keys;
	char **record_keys;
	char  *quantity;
	char  *canceled;
	char  *status;
	char  *canceled_status;
	char  *fulfilled;
	char  *amount;
	char  *functions;
} Registration;

static char *
pinned_text(HeapTuple row, TupleDesc desc, int pinned, int given)
{
	char *text = config_text(row, desc, pinned);

	return text ? text : config_text(row, desc, given);
}

static void
load_registration(HeapTuple row, TupleDesc desc, void *arg)
{
	Registration *reg = arg;
	char *fulfilled = config_text(row, desc, ITEM_TABLE_FULFILLED_FUNCTIONS);
	char *amount = config_text(row, desc, ITEM_TABLE_AMOUNT_FUNCTIONS);

	reg->order_keys = config_names(row, desc, ITEM_TABLE_KEY_COLUMNS,
								   &reg->norder_keys);
	reg->item_key = config_names(row, desc, ITEM_TABLE_ITEM_KEY, &reg->nkeys);
	reg->record_keys = config_names(row, desc, ITEM_TABLE_RECORD_KEYS,
									&reg->nrecord_keys);
	reg->quantity = config_name(row, desc, ITEM_TABLE_QUANTITY);
	reg->canceled = config_name(row, desc, ITEM_TABLE_CANCELED);
	reg->status = config_name(row, desc, ITEM_TABLE_STATUS);
	reg->canceled_status = config_text(row, desc, ITEM_TABLE_CANCELED_STATUS);
	reg->fulfilled = pinned_text(row, desc, ITEM_TABLE_PINNED_FULFILLED,
								 ITEM_TABLE_FULFILLED);
	reg->amount = pinned_text(row, desc, ITEM_TABLE_PINNED_AMOUNT,
							  ITEM_TABLE_AMOUNT);
	reg->functions = psprintf("%s\n%s", fulfilled ? fulfilled : "",
							  amount ? amount : "");
}

static void
free_query(void *arg)
{
	ItemTable *items = arg;

	pinned_forget(&items->expr_query);
}

pg_noreturn static void
raise_changed(const ItemTable *items, const char *detail)
{
	refusal_raise_invalid_policy(
		psprintf("table of items %s no longer matches its configuration",
				 items->label),
		detail, "Call ordcancel.attach_items() again.");
}

static void
load_column(ItemTable *items, Relation rel, Column *column, const char *name)
{
	int attnum;

	if (name == NULL)
		return;
	attnum = SPI_fnumber(RelationGetDescr(rel), name);
	if (attnum <= 0)
		raise_changed(items, psprintf("It has no column \"%s\".", name));
	order_table_load_column(items->context, rel, column, attnum);
}

static void
load_keys(ItemTable *items, Relation rel, const Registration *reg)
{
	Relation index;

	items->key_index = order_table_primary_key(rel);
	if (!OidIsValid(items->key_index))
		raise_changed(items, "It has no primary key.");
	index = index_open(items->key_index, AccessShareLock);
	items->nkeys = reg->nkeys;
	if (IndexRelationGetNumberOfKeyAttributes(index) != reg->nkeys ||
		reg->nrecord_keys != reg->nkeys)
		raise_changed(items, "Its primary key has changed.");
	items->keys = palloc0(reg->nkeys * sizeof(Column));
	items->record_keys = reg->record_keys;
	items->key_desc = CreateTemplateTupleDesc(reg->nkeys);
	for (int i = 0; i < reg->nkeys; i++)
	{
		Column *key = &items->keys[i];

		load_column(items, rel, key, reg->item_key[i]);
		if (key->attnum != index->rd_index->indkey.values[i])
			raise_changed(items, "Its primary key has changed.");
		order_table_load_key_order(items->context, key, index, i);
		items->key_has_format |= type_has_settings(key->type);
		TupleDescInitEntry(items->key_desc, i + 1, key->name, key->type,
						   key->typmod, 0);
	}
	index_close(index, AccessShareLock);
	finalize_tuple_desc(items->key_desc);
	items->key_desc = BlessTupleDesc(items->key_desc);
}

/* Can the items of an order be looked up in this index? */
static bool
is_order_index(const ItemTable *items, Oid indexid)
{
	const OrderTable *orders = items->orders;
	Relation		  index = index_open(indexid, AccessShareLock);
	bool			  usable = index->rd_rel->relam == BTREE_AM_OID &&
		index->rd_index->indisvalid && !index_is_partial(index) &&
		IndexRelationGetNumberOfKeyAttributes(index) >= orders->nkeys;

	for (int i = 0; i < orders->nkeys && usable; i++)
		usable = index->rd_index->indkey.values[i] ==
				items->order_keys[i].attnum &&
			items->order_keys[i].type == orders->keys[i].type &&
			index->rd_indcollation[i] == orders->keys[i].collation &&
			get_opfamily_member(index->rd_opfamily[i], index->rd_opcintype[i],
								index->rd_opcintype[i],
								BTEqualStrategyNumber) ==
				orders->keys[i].equal;
	index_close(index, AccessShareLock);
	return usable;
}

static Oid
find_order_index(const ItemTable *items, Relation rel)
{
	List	 *indexes;
	ListCell *lc;
	Oid		  found = InvalidOid;

	if (items->partitioned)
		return InvalidOid;
	indexes = RelationGetIndexList(rel);
	foreach(lc, indexes)
		if (!OidIsValid(found) && is_order_index(items, lfirst_oid(lc)))
			found = lfirst_oid(lc);
	list_free(indexes);
	return found;
}

/* A label of an enum may have been renamed. */
static bool
has_canceled_status(const ItemTable *items)
{
	return items->status.attnum == 0 ||
		get_typtype(items->status.base) != TYPTYPE_ENUM ||
		SearchSysCacheExists2(ENUMTYPOIDNAME,
							  ObjectIdGetDatum(items->status.base),
							  CStringGetDatum(items->canceled_status));
}

static void
check_canceled_status(const ItemTable *items)
{
	if (!has_canceled_status(items))
		raise_changed(items,
					  psprintf("\"%s\" is not a status of its items any more.",
							   items->canceled_status));
}

static void
load_columns(ItemTable *items, Relation rel, const Registration *reg)
{
	if (reg->norder_keys != items->orders->nkeys)
		raise_changed(items, "The key of the order has other columns.");
	items->order_keys = palloc0(reg->norder_keys * sizeof(Column));
	for (int i = 0; i < reg->norder_keys; i++)
	{
		load_column(items, rel, &items->order_keys[i], reg->order_keys[i]);
		if (key_type_family(items->order_keys[i].base) !=
			key_type_family(items->orders->keys[i].base))
			raise_changed(
				items,
				psprintf(
					"Column \"%s\" is of type %s, which cannot hold the key of %s.",
					reg->order_keys[i],
					format_type_be(items->order_keys[i].type),
					items->orders->label));
	}
	load_column(items, rel, &items->quantity, reg->quantity);
	load_column(items, rel, &items->canceled, reg->canceled);
	load_column(items, rel, &items->status, reg->status);
	check_canceled_status(items);
	load_keys(items, rel, reg);
}

/*
 * The column that "fulfilled" is, without any calculation; 0 if it is another
 * expression.  Such a column is read in C.
 */
static AttrNumber
plain_column(const ItemTable *items, Relation rel)
{
	TupleDesc desc = RelationGetDescr(rel);

	for (int i = 0; items->fulfilled && i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		const char		 *name = quote_identifier(NameStr(att->attname));

		if (att->attisdropped || column_is_virtual(att) ||
			(att->atttypid != INT2OID && att->atttypid != INT4OID &&
			 att->atttypid != INT8OID && att->atttypid != NUMERICOID))
			continue;
		if (strcmp(items->fulfilled, psprintf("%s.%s", PINNED_ROW, name)) ==
				0 ||
			strcmp(items->fulfilled,
				   psprintf("(%s.%s)::numeric", PINNED_ROW, name)) == 0 ||
			strcmp(items->fulfilled,
				   psprintf("%s.%s::numeric", PINNED_ROW, name)) == 0)
			return i + 1;
	}
	return 0;
}

static void
load_fulfilled(ItemTable *items, Relation rel)
{
	AttrNumber attnum = plain_column(items, rel);

	if (attnum > 0)
		order_table_load_column(items->context, rel, &items->fulfilled_column,
								attnum);
}

ItemTable *
item_table_load(OrderTable *orders, Relation rel)
{
	static uint64 last_serial = 0;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "ordcancel items",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	ItemTable	 *items = palloc0(sizeof(ItemTable));
	Registration  reg = {0};
	MemoryContextCallback *cleanup = palloc0(sizeof(MemoryContextCallback));

	items->context = context;
	items->orders = orders;
	items->relid = RelationGetRelid(rel);
	items->serial = orders->serial;
	items->keys_serial = ++last_serial;
	items->label = order_table_label_of(rel);
	items->name = pstrdup(RelationGetRelationName(rel));
	if (config_scan("item_table", orders->relid, load_registration, &reg) == 0)
	{
		MemoryContextSwitchTo(caller);
		MemoryContextDelete(context);
		return NULL;
	}
	if (rel->rd_rel->relowner != orders->owner)
		raise_changed(items,
					  psprintf("It and %s have different owners.",
							   orders->label));
	order_table_refuse_not_heap(rel);
	items->partitioned = rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;
	items->desc = CreateTupleDescCopyConstr(RelationGetDescr(rel));
	items->alias = order_table_unused_alias(RelationGetDescr(rel));
	items->canceled_status = reg.canceled_status;
	items->fulfilled = reg.fulfilled;
	items->amount = reg.amount;
	items->functions = reg.functions;
	load_columns(items, rel, &reg);
	load_fulfilled(items, rel);
	items->order_index = find_order_index(items, rel);
	items->guard = order_table_guard("guard_item");

	cleanup->func = free_query;
	cleanup->arg = items;
	MemoryContextRegisterResetCallback(context, cleanup);
	MemoryContextSwitchTo(caller);
	return items;
}

bool
item_table_fits(const ItemTable *items, const OrderTable *orders, Relation rel)
{
	return items->serial == orders->serial &&
		equalTupleDescs(items->desc, RelationGetDescr(rel)) &&
		order_table_primary_key(rel) == items->key_index &&
		rel->rd_rel->relowner == orders->owner &&
		strcmp(order_table_label_of(rel), items->label) == 0 &&
		find_order_index(items, rel) == items->order_index &&
		has_canceled_status(items) &&
		order_table_guard("guard_item") == items->guard;
}
