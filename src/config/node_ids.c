/*
 * node_ids.c — ids of cancellations and events that many databases can share
 */
#include "postgres.h"

#include "commands/sequence.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

#include "config/config_table.h"
#include "config/node_ids.h"
#include "config/run_as.h"

#define NUMBER_BITS 43
#define NUMBER_MASK ((INT64CONST(1) << NUMBER_BITS) - 1)

int guc_node_id = 0;

static int64
node_of(int64 id)
{
	return id < 0 ? 0 : id >> NUMBER_BITS;
}

int64
node_last_id(Oid sequence)
{
	LOCAL_FCINFO(call, 1);
	Datum value;

	InitFunctionCallInfoData(*call, NULL, 1, InvalidOid, NULL, NULL);
	call->args[0].value = ObjectIdGetDatum(sequence);
	call->args[0].isnull = false;
	value = pg_sequence_last_value(call);
	return call->isnull ? 0 : DatumGetInt64(value);
}

/* As the extension's owner: the caller may not write the sequence. */
void
node_set_last_id(Oid sequence, int64 id)
{
	RunAsScope scope;

	run_as_role(&scope, config_owner());
	(void) DirectFunctionCall3(setval3_oid, ObjectIdGetDatum(sequence),
							   Int64GetDatum(id), BoolGetDatum(true));
	run_as_end(&scope);
}

/*
 * The lock keeps others from taking ids in between: it waits for the transactions
 * that have taken some.
 */
void
node_raise_last_id(Oid sequence, int64 id)
{
	if (node_last_id(sequence) >= id)
		return;
	LockRelationOid(sequence, ShareRowExclusiveLock);
	if (node_last_id(sequence) < id)
		node_set_last_id(sequence, id);
	UnlockRelationOid(sequence, ShareRowExclusiveLock);
}

bool
node_may_take(Oid sequence, int64 id)
{
	return node_of(id) <= Max(node_of(node_last_id(sequence)), guc_node_id);
}

/*
 * The lock keeps two sessions from moving it one after the other: the second
 * would take back what the first has given out.  It does not conflict with that
 * of nextval(), which cannot fall behind: whoever gets a number of the lower
 * node just now takes another one.
 */
void
node_follow(Oid sequence)
{
	if (node_of(node_last_id(sequence)) >= guc_node_id)
		return;
	LockRelationOid(sequence, ShareUpdateExclusiveLock);
	if (node_of(node_last_id(sequence)) < guc_node_id)
		node_set_last_id(sequence, (int64) guc_node_id << NUMBER_BITS);
	UnlockRelationOid(sequence, ShareUpdateExclusiveLock);
}

/*
 * 0 is no number of a node: the sequence has come from the last number of the
 * node before.
 */
static bool
is_beyond_numbers(int64 id)
{
	return id > 0 && (id & NUMBER_MASK) == 0;
}

pg_noreturn static void
raise_no_numbers(Oid sequence, int64 id)
{
	node_set_last_id(sequence, id - 1); /* the next call fails as well */
	ereport(
		ERROR,
		(errcode(ERRCODE_SEQUENCE_GENERATOR_LIMIT_EXCEEDED),
		 errmsg(
			 "sequence ordcancel.%s has no more numbers for node " INT64_FORMAT,
			 get_rel_name(sequence), node_of(id) - 1),
		 errdetail("A node has " INT64_FORMAT " numbers.", NUMBER_MASK),
		 errhint(
			 "Set ordcancel.node_id to a higher number that no other database has.")));
}

int64
node_next_id(Oid sequence)
{
	int64 id = nextval_internal(sequence, false);

	if (is_beyond_numbers(id))
	{
		if (node_of(id) > guc_node_id)
			raise_no_numbers(sequence, id);
		id = nextval_internal(sequence, false);
	}
	if (guc_node_id == 0 || node_of(id) == guc_node_id)
		return id;
	if (node_of(id) > guc_node_id)
		ereport(
			ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("ordcancel.node_id cannot be lowered from " INT64_FORMAT
					" to %d",
					node_of(id), guc_node_id),
			 errdetail("Sequence ordcancel.%s is at " INT64_FORMAT
					   ", and readers of events rely on ids that rise.",
					   get_rel_name(sequence), id),
			 errhint("Set it to " INT64_FORMAT " or higher.", node_of(id))));
	node_follow(sequence);
	return node_next_id(sequence);
}
