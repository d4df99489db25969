/*
 * order_table_load.c — builds an OrderTable
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/nbtree.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

#include "config/also_set.h"
#include "config/config_table.h"
#include "config/item_table.h"
#include "config/order_table_check.h"
#include "config/order_table_columns.h"
#include "config/order_table_load.h"
#include "config/order_table_row.h"
#include "config/pinned_query.h"
#include "config/policy_load.h"
#include "config/shard.h"
#include "config/status_equality.h"
#include "decision/refusal.h"

/* Members of a row of ordcancel.order_table that OrderTable does not have. */
typedef struct Registration
{
	char	   *status;
	char	   *placed_at;
	char	   *policy_by;
	char	   *status_since;
	int			nkeys;
	char	  **primary_key; /* its columns when the table was attached */
	OrderTable *table;
} Registration;

/* Called when the table's memory context is deleted. */
static void
free_statements(void *arg)
{
	OrderTable *table = arg;

	for (int i = 0; i < STATEMENT_COUNT; i++)
		if (table->statements[i])
			SPI_freeplan(table->statements[i]);
	pinned_forget(&table->expr_query);
	pinned_forget(&table->deleted_query);
	for (int i = 0; i < ALSO_SET_COUNT; i++)
		pinned_forget(&table->also_set_queries[i].pinned);
}

static bool
same_key(const Registration *reg, Relation rel, Relation index)
{
	if (reg->table->nkeys != IndexRelationGetNumberOfKeyAttributes(index))
		return false;
	for (int i = 0; i < reg->table->nkeys; i++)
	{
		int attnum = index->rd_index->indkey.values[i];

		if (strcmp(NameStr(TupleDescAttr(RelationGetDescr(rel), attnum - 1)
							   ->attname),
				   reg->primary_key[i]) != 0)
			return false;
	}
	return true;
}

/* Of the first columns of the key. */
static TupleDesc
key_row_desc(const OrderTable *table, int count)
{
	TupleDesc desc = CreateTemplateTupleDesc(count);

	for (int i = 0; i < count; i++)
		TupleDescInitEntry(desc, i + 1, table->keys[i].name,
						   table->keys[i].type, table->keys[i].typmod, 0);
	finalize_tuple_desc(desc);
	return desc;
}

static void
load_keys(const Registration *reg, Relation rel)
{
	OrderTable *table = reg->table;

	Oid		 pkey;
	Relation index;

	pkey = order_table_primary_key(rel);
	if (!OidIsValid(pkey))
		refusal_raise_invalid_policy(
			psprintf("order table %s no longer has a primary key",
					 table->label),
			NULL, "Add the primary key again.");

	index = index_open(pkey, AccessShareLock);
	if (!same_key(reg, rel, index))
		refusal_raise_invalid_policy(
			psprintf("the primary key of order table %s has changed",
					 table->label),
			"Cancellations are recorded under its old columns.",
			"If its columns were only renamed, call ordcancel.attach() again; otherwise restore it.");

	table->key_index = pkey;
	table->keys = palloc0(table->nkeys * sizeof(Column));
	for (int i = 0; i < table->nkeys; i++)
	{
		Column *key = &table->keys[i];

		order_table_load_column(table->context, rel, key,
								index->rd_index->indkey.values[i]);
		order_table_load_key_order(table->context, key, index, i);
		table->key_has_format |= type_has_settings(key->type);
	}
	index_close(index, AccessShareLock);
	table->key_desc = BlessTupleDesc(key_row_desc(table, table->nkeys));
	if (table->ncall_keys >= table->nkeys)
		table->ncall_keys = 0;
	if (table->ncall_keys > 0)
		table->call_key_desc = BlessTupleDesc(
			key_row_desc(table, table->ncall_keys));
}

static void
load_registration(HeapTuple row, TupleDesc desc, void *arg)
{
	Registration *reg = arg;
	OrderTable	 *table = reg->table;
	char		 *payload;
	int			  nkeys;

	reg->status = config_name(row, desc, ORDER_TABLE_STATUS);
	reg->placed_at = config_name(row, desc, ORDER_TABLE_PLACED_AT);
	reg->policy_by = config_name(row, desc, ORDER_TABLE_POLICY_BY);
	reg->status_since = config_name(row, desc, ORDER_TABLE_STATUS_SINCE);
	table->refund_due = config_text(row, desc, ORDER_TABLE_PINNED_REFUND_DUE);
	if (table->refund_due == NULL)
		table->refund_due = config_text(row, desc, ORDER_TABLE_REFUND_DUE);
	policy_load_functions(table,
						  config_text(row, desc,
									  ORDER_TABLE_REFUND_DUE_FUNCTIONS));
	table->deleted_when = config_text(row, desc,
									  ORDER_TABLE_PINNED_DELETED_WHEN);
	if (table->deleted_when == NULL)
		table->deleted_when = config_text(row, desc, ORDER_TABLE_DELETED_WHEN);
	policy_load_functions(table,
						  config_text(row, desc,
									  ORDER_TABLE_DELETED_WHEN_FUNCTIONS));
	table->plain_updates = config_bool(row, desc, ORDER_TABLE_PLAIN_UPDATES);
	table->channel = config_text(row, desc, ORDER_TABLE_NOTIFY_CHANNEL);
	payload = config_text(row, desc, ORDER_TABLE_NOTIFY_PAYLOAD);
	table->payload_is_id = payload && strcmp(payload, "id") == 0;
	table->cancellation_table = config_oid(row, desc,
										   ORDER_TABLE_CANCELLATION_TABLE);
	table->event_table = config_oid(row, desc, ORDER_TABLE_EVENT_TABLE);
	table->item_records = config_oid(row, desc, ORDER_TABLE_ITEM_RECORDS);
	table->refund_due_net = config_bool(row, desc, ORDER_TABLE_REFUND_DUE_NET);
	table->search_path = config_text(row, desc, ORDER_TABLE_SEARCH_PATH);
	table->time_zone = config_text(row, desc, ORDER_TABLE_TIME_ZONE);
	table->refund_scale = config_int(row, desc, ORDER_TABLE_REFUND_SCALE);

	table->record_keys = config_names(row, desc, ORDER_TABLE_KEY_COLUMNS,
									  &table->nkeys);
	nkeys = table->nkeys;
	reg->primary_key = config_names(row, desc, ORDER_TABLE_PRIMARY_KEY,
									&table->nkeys);
	(void) config_names(row, desc, ORDER_TABLE_CALL_KEY, &table->ncall_keys);
	table->archived_statuses = config_texts(row, desc,
											ORDER_TABLE_ARCHIVED_STATUSES,
											&table->narchived_statuses);
	if (nkeys != table->nkeys)
		table->nkeys = 0; /* no key has none, so same_key() fails */
}

static void
add_to_fingerprint(HeapTuple row, TupleDesc desc, void *arg)
{
	*(uint64 *) arg = config_fingerprint(*(uint64 *) arg, row);
}

/* Of the rows that are in an OrderTable; a policy has its own fingerprint. */
static uint64
fingerprint_of(Oid relid)
{
	uint64 fingerprint = 0;

	config_scan("order_table", relid, add_to_fingerprint, &fingerprint);
	config_scan("block", relid, add_to_fingerprint, &fingerprint);
	config_scan("item_table", relid, add_to_fingerprint, &fingerprint);
	config_scan("also_set", relid, add_to_fingerprint, &fingerprint);
	return fingerprint;
}

static uint64
status_names_fingerprint_of(Oid relid)
{
	uint64 fingerprint = 0;

	config_scan("policy", relid, add_to_fingerprint, &fingerprint);
	config_scan("rule", relid, add_to_fingerprint, &fingerprint);
	return fingerprint;
}

bool
order_table_fits(const OrderTable *table)
{
	Relation rel;
	bool	 fits;

	/* The shards of its record tables may be others. */
	if (table->shard.id != 0)
		return false;
	if (fingerprint_of(table->logical) != table->fingerprint ||
		(table->has_status_names &&
		 status_names_fingerprint_of(table->logical) !=
			 table->status_names_fingerprint))
		return false;
	rel = try_table_open(table->relid, AccessShareLock);
	if (rel == NULL)
		return false;
	order_table_refuse_not_heap(rel);
	order_table_refuse_distributed(rel);
	fits = shard_is_distributed(table->relid) == table->distributed &&
		equalTupleDescs(table->desc, RelationGetDescr(rel)) &&
		order_table_primary_key(rel) == table->key_index &&
		rel->rd_rel->relowner == table->owner &&
		strcmp(order_table_label_of(rel), table->sql) == 0 &&
		order_table_guard("guard_update") == table->guard_update &&
		order_table_guard("event_arrived") == table->event_arrived;
	table_close(rel, AccessShareLock);
	return fits;
}

/* What is written there may run code as the owner of the extension. */
static Oid
record_shard(const OrderTable *table, Oid records)
{
	Oid shard = shard_sibling(&table->shard, records);
	Oid owner = OidIsValid(shard) ? config_relation_owner(shard) : InvalidOid;

	return OidIsValid(owner) && config_trusts(owner) ? shard : InvalidOid;
}

/*
 * A shard has the configuration of its table, and records in the shards that are
 * co-located with it.
 */
static bool
load_shard(Registration *reg)
{
	OrderTable *table = reg->table;

	if (!shard_of_relation(table->relid, &table->shard))
		return false;
	table->logical = table->shard.logical;
	table->fingerprint = fingerprint_of(table->logical);
	if (config_scan("order_table", table->logical, load_registration, reg) ==
		0)
		return false;
	table->cancellation_table = record_shard(table, table->cancellation_table);
	table->event_table = record_shard(table, table->event_table);
	table->item_records = InvalidOid;
	return true;
}

static char *
quote_qualified(Relation rel, const char *name)
{
	return pstrdup(quote_qualified_identifier(
		get_namespace_name(RelationGetNamespace(rel)), name));
}

OrderTable *
order_table_load(Oid relid)
{
	static uint64 last_serial = 0;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "ordcancel order table",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	OrderTable	 *table = palloc0(sizeof(OrderTable));
	Registration  reg = {.table = table};
	MemoryContextCallback *cleanup;
	Relation			   rel;

	table->context = context;
	table->relid = table->logical = relid;
	table->serial = ++last_serial;
	table->changes = 1;

	/* Before reading, so that a concurrent change makes it differ. */
	table->fingerprint = fingerprint_of(relid);
	if (config_scan("order_table", relid, load_registration, &reg) == 0 &&
		!load_shard(&reg))
	{
		MemoryContextSwitchTo(caller);
		MemoryContextDelete(context);
		return NULL;
	}

	rel = table_open(relid, AccessShareLock);
	order_table_refuse_not_heap(rel);
	order_table_refuse_distributed(rel);
	table->owner = rel->rd_rel->relowner;
	table->name = get_rel_name(table->logical);
	table->alias = order_table_unused_alias(RelationGetDescr(rel));
	table->sql = order_table_label_of(rel);
	table->label = quote_qualified(rel, table->name);
	table->distributed = table->shard.id == 0 && shard_is_distributed(relid);
	table->desc = CreateTupleDescCopyConstr(RelationGetDescr(rel));
	table->partitioned = rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;
	order_table_load_named_column(table, rel, &table->status, reg.status);
	table->status_collation = TupleDescAttr(RelationGetDescr(rel),
											table->status.attnum - 1)
								  ->attcollation;
	order_table_load_named_column(table, rel, &table->placed_at,
								  reg.placed_at);
	order_table_check_time(table, &table->placed_at);
	order_table_load_named_column(table, rel, &table->status_since,
								  reg.status_since);
	order_table_check_time(table, &table->status_since);
	order_table_load_named_column(table, rel, &table->policy_by,
								  reg.policy_by);
	table->policy_has_format = table->policy_by.attnum != 0 &&
		type_has_settings(table->policy_by.type);
	load_keys(&reg, rel);
	table->guard_update = order_table_guard("guard_update");
	table->event_arrived = order_table_guard("event_arrived");
	if (table->shard.id == 0)
		config_scan("item_table", relid, item_table_load_relid, &table->items);
	policy_load_blocks(table);
	also_set_load(table, rel);
	table->has_status_names = status_equality_needed(table);
	if (table->has_status_names)
	{
		table->status_names_fingerprint = status_names_fingerprint_of(
			table->logical);
		status_equality_load(table);
	}
	table_close(rel, AccessShareLock);

	cleanup = palloc0(sizeof(MemoryContextCallback));
	cleanup->func = free_statements;
	cleanup->arg = table;
	MemoryContextRegisterResetCallback(context, cleanup);
	MemoryContextSwitchTo(caller);
	return table;
}
