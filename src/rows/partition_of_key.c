/*
 * partition_of_key.c — finds the leaf partition of an order
 *
 * PostgreSQL's own function for that wants a whole row and the state of a
 * running statement; the parts that it is made of are public.
 */
#include "postgres.h"

#include "access/table.h"
#include "nodes/parsenodes.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/partcache.h"
#include "utils/rel.h"

#include "rows/partition_of_key.h"

/* The values of the key that the rows of "rel" are partitioned by. */
static void
partition_values(const OrderTable *table, Relation rel, PartitionKey by,
				 const Datum *key, Datum *values)
{
	for (int i = 0; i < by->partnatts; i++)
	{
		/* Each level may have its columns in another order. */
		const char *name = NameStr(
			TupleDescAttr(RelationGetDescr(rel), by->partattrs[i] - 1)
				->attname);
		int j = 0;

		while (j < table->nkeys && strcmp(table->keys[j].name, name) != 0)
			j++;
		if (j == table->nkeys)
			elog(
				ERROR,
				"partition key column \"%s\" of \"%s\" is not in its primary key",
				name, RelationGetRelationName(rel));
		values[i] = key[j];
	}
}

/* The index in boundinfo->indexes of the values, or -1. */
static int
bound_of(PartitionKey by, PartitionBoundInfo bounds, Datum *values)
{
	bool isnull[PARTITION_MAX_KEYS] = {false};
	bool equal = false;
	int	 offset;

	if (by->strategy == PARTITION_STRATEGY_HASH)
		return compute_partition_hash_value(by->partnatts, by->partsupfunc,
											by->partcollation, values,
											isnull) %
			bounds->nindexes;
	if (by->strategy == PARTITION_STRATEGY_RANGE)
		return 1 +
			partition_range_datum_bsearch(by->partsupfunc, by->partcollation,
										  bounds, by->partnatts, values,
										  &equal);
	offset = partition_list_bsearch(by->partsupfunc, by->partcollation, bounds,
									values[0], &equal);
	return equal ? offset : -1;
}

/* Returns InvalidOid if there is none. */
static Oid
child_of(const OrderTable *table, Relation rel, const Datum *key,
		 bool *is_leaf)
{
	PartitionKey	   by = RelationGetPartitionKey(rel);
	PartitionDesc	   parts = RelationGetPartitionDesc(rel, true);
	PartitionBoundInfo bounds = parts->boundinfo;
	Datum			   values[PARTITION_MAX_KEYS];
	int				   bound;
	int				   child;

	if (parts->nparts == 0)
		return InvalidOid;
	partition_values(table, rel, by, key, values);
	bound = bound_of(by, bounds, values);
	child = bound < 0 ? -1 : bounds->indexes[bound];
	if (child < 0)
		child = bounds->default_index;
	if (child < 0)
		return InvalidOid;
	*is_leaf = parts->is_leaf[child];
	return parts->oids[child];
}

Oid
partition_of_key(const OrderTable *table, Relation rel, const Datum *key,
				 LOCKMODE lock)
{
	bool is_leaf;
	Oid	 child = child_of(table, rel, key, &is_leaf);

	while (OidIsValid(child) && !is_leaf)
	{
		Relation part = table_open(child, lock);

		child = child_of(table, part, key, &is_leaf);
		table_close(part, NoLock);
	}
	return child;
}

List *
partition_leaves(Relation rel, LOCKMODE lock)
{
	PartitionDesc parts = RelationGetPartitionDesc(rel, true);
	List		 *leaves = NIL;

	for (int i = 0; i < parts->nparts; i++)
	{
		Relation part;

		if (parts->is_leaf[i])
		{
			leaves = lappend_oid(leaves, parts->oids[i]);
			continue;
		}
		part = table_open(parts->oids[i], lock);
		leaves = list_concat(leaves, partition_leaves(part, lock));
		table_close(part, NoLock);
	}
	return leaves;
}
