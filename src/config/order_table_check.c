/*
 * order_table_check.c — checks an attached table against its configuration
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "commands/extension.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "config/order_table_check.h"
#include "decision/refusal.h"

/* The label if the enum no longer has it, else NULL. */
static const char *
stale_label(Oid type, const char *label)
{
	return label &&
			!SearchSysCacheExists2(ENUMTYPOIDNAME, ObjectIdGetDatum(type),
								   CStringGetDatum(label)) ?
		label :
		NULL;
}

void
order_table_check_labels(const OrderTable *table, Policy *policy)
{
	Oid			type = table->status.base;
	const char *statuses[] = {policy->requested_status,
							  policy->in_progress_status,
							  policy->canceled_status,
							  policy->customer_canceled_status};

	if (get_typtype(type) != TYPTYPE_ENUM)
		return;
	for (int i = 0; i < lengthof(statuses) && !policy->stale_status; i++)
		policy->stale_status = stale_label(type, statuses[i]);
	for (int i = 0; i < policy->nrules && !policy->stale_rule; i++)
		policy->stale_rule = stale_label(type, policy->rules[i].status);
}

/* C reads row versions as heap stores them. */
void
order_table_refuse_not_heap(Relation rel)
{
	if (rel->rd_rel->relkind != RELKIND_RELATION ||
		rel->rd_amhandler == F_HEAP_TABLEAM_HANDLER)
		return;
	refusal_raise_invalid_policy(
		psprintf("order table \"%s\" is not stored by access method heap",
				 RelationGetRelationName(rel)),
		psprintf("Its access method is \"%s\".",
				 get_am_name(rel->rd_rel->relam)),
		"Call ALTER TABLE ... SET ACCESS METHOD heap.");
}

/*
 * A distributed table is empty, because its rows are in shards.  They are found
 * (shard.h) if the catalogs are those of Citus itself.
 */
void
order_table_refuse_distributed(Relation rel)
{
	Oid catalog = get_relname_relid("pg_dist_partition", PG_CATALOG_NAMESPACE);
	Relation	distributed;
	SysScanDesc scan;
	ScanKeyData key;
	bool		found;

	if (!OidIsValid(catalog) || OidIsValid(get_extension_oid("citus", true)))
		return;
	distributed = table_open(catalog, AccessShareLock);
	ScanKeyInit(&key, get_attnum(catalog, "logicalrelid"),
				BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(RelationGetRelid(rel)));
	scan = systable_beginscan(distributed, InvalidOid, false, NULL, 1, &key);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(distributed, AccessShareLock);
	if (found)
		refusal_raise_invalid_policy(
			psprintf("order table \"%s\" cannot be attached",
					 RelationGetRelationName(rel)),
			"It is distributed by Citus.", NULL);
}
