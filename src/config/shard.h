/*
 * shard.h — tables that Citus distributes, and their shards
 *
 * Rules are for the distributed table.  Its rows are in shards: ordinary tables
 * on the nodes, named after it and the shard's number.  Each shard is an
 * OrderTable of its own, whose records are in the shards of the record tables
 * that are co-located with it.
 *
 * The catalogs of Citus are found by name, so it is needed neither to build nor
 * to run.  Where it is not installed, shard_possible() is one lookup in a
 * cache of PostgreSQL's.
 */
#ifndef ORDCANCEL_SHARD_H
#define ORDCANCEL_SHARD_H

#include "nodes/pg_list.h"

#include "base/compat.h"

typedef struct Shard
{
	int64 id;	   /* 0: not a shard */
	Oid	  logical; /* its table */
	bool  whole;   /* it has all rows: the table has no other shard */
	int32 first;   /* otherwise the hashes that it has */
	int32 last;
} Shard;

/* How a table is distributed. */
typedef struct Distribution
{
	char  method; /* 'h': by hash, 'n': one shard, 0: it is not distributed */
	int32 group;  /* of the tables that are co-located with it; 0: none */
	int	  column; /* attribute number; 0 unless by hash */
	bool  everywhere; /* every node has a copy: a reference table */
} Distribution;

/* Is Citus in this database?  If not, no table is distributed. */
extern bool shard_possible(void);

extern bool shard_distribution(Oid relid, Distribution *distribution);

/* The same, without the details. */
extern bool shard_is_distributed(Oid relid);

/* Is the relation a shard that is placed on this node?  Fills *shard. */
extern bool shard_of_relation(Oid relid, Shard *shard);

/* The local relation of a shard, or InvalidOid. */
extern Oid shard_relation(Oid logical, int64 id);

/*
 * The shard of another table that is co-located with this one, or InvalidOid if
 * it is not on this node.
 */
extern Oid shard_sibling(const Shard *shard, Oid logical);

/* All shards of a table, of Shard. */
extern List *shard_list(Oid logical);

/* Is the shard placed on this node? */
extern bool shard_is_here(int64 id);

/*
 * The relations in which the table's rows are: its shards that are placed on this
 * node if it is distributed, else the table itself.
 */
extern List *shard_relations(Oid relid);

/*
 * Keeps the shard on this node until the end of the transaction, as Citus does
 * for its own statements.  Returns false if it has been moved away.
 */
extern bool shard_hold(const Shard *shard);

/* Raises 0A000: the rows are on other nodes. */
pg_noreturn extern void shard_raise_elsewhere(const char *label);

#endif /* ORDCANCEL_SHARD_H */
