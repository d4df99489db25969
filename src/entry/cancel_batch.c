/*
 * cancel_batch.c — the procedures cancel_batch and resume_batch
 *
 * While a batch runs, its session holds a lock on the batch.  PostgreSQL
 * releases it however the session ends, so an unfinished batch that is not
 * locked was interrupted.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "config/config_table.h"
#include "config/expression.h"
#include "config/item_table.h"
#include "decision/refusal.h"
#include "entry/args.h"
#include "entry/cancel_batch.h"
#include "entry/roles.h"
#include "lifecycle/decision_input.h"

PG_FUNCTION_INFO_V1(ordcancel_cancel_batch);
PG_FUNCTION_INFO_V1(ordcancel_resume_batch);

#define CHUNK_MAX 100000

static void
must_not_be_atomic(FunctionCallInfo fcinfo, const char *name, const char *hint)
{
	if (args_call_is_atomic(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("%s cannot run inside a transaction block", name),
				 errdetail(
					 "The procedure commits after each chunk of orders."),
				 errhint("%s", hint)));
}

/*
 * Runs "work", with the batch locked if "exclusive".  Releases the session-level
 * lock and the selected orders, which outlive transactions, in any case.
 */
static void
run(Batch *b, void (*work)(Batch *), bool exclusive)
{
	LOCKTAG tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, b->relid, (uint32) b->id, 0);
	if (exclusive &&
		LockAcquire(&tag, ExclusiveLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("batch " INT64_FORMAT " is already running", b->id),
				 errhint("See ordcancel.batch_progress.")));
	PG_TRY();
	{
		work(b);
	}
	PG_FINALLY();
	{
		if (exclusive)
			LockRelease(&tag, ExclusiveLock, true);
		batch_release_chosen(b);
	}
	PG_END_TRY();
}

static void
prepare(Batch *b)
{
	b->context = AllocSetContextCreate(CurrentMemoryContext, "ordcancel batch",
									   ALLOCSET_DEFAULT_SIZES);
	b->relid = config_relation("batch");
	b->started = b->reported = GetCurrentTimestamp();
	b->args.verb = VERB_CANCEL_ORDER; /* of items: see set_table */
	b->args.party = PARTY_MERCHANT;
	b->args.source = "cancel_batch";
}

/* The argument may be an order table, or the table of the items of one. */
static void
set_table(Batch *b, FunctionCallInfo fcinfo)
{
	OrderTable *table;
	Relation	rel = PG_ARGISNULL(0) ?
		   NULL :
		   try_relation_open(PG_GETARG_OID(0), AccessShareLock);

	if (rel)
	{
		b->orders = item_table_orders(rel);
		relation_close(rel, NoLock);
	}
	if (OidIsValid(b->orders))
	{
		b->items = PG_GETARG_OID(0);
		b->args.verb = VERB_CANCEL_ITEMS;
		if (args_table(false, b->orders, AccessShareLock)->items != b->items)
			refusal_raise_not_attached(b->items); /* it is a partition */
		return;
	}
	table = args_table(PG_ARGISNULL(0), PG_GETARG_OID(0), AccessShareLock);
	if (table->distributed)
		shard_raise_elsewhere(table->label);
	b->orders = PG_GETARG_OID(0);
}

static void
check_condition(const char *condition)
{
	if (condition == NULL || !expression_is_one(condition))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("condition must be a single expression over the row"),
				 errhint("Use 'true' to select all orders.")));
}

static int
chunk_argument(FunctionCallInfo fcinfo, int arg)
{
	int chunk = PG_ARGISNULL(arg) ? 0 : PG_GETARG_INT32(arg);

	if (chunk < 1 || chunk > CHUNK_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("chunk must be between 1 and %d", CHUNK_MAX)));
	return chunk;
}

/* (orders, condition, reason, note, actor, chunk, dry_run, metadata) */
Datum
ordcancel_cancel_batch(PG_FUNCTION_ARGS)
{
	Batch	b = {0};
	Refusal refusal;

	role_must_be_merchant("cancel_batch");
	b.dry_run = args_bool(fcinfo, 6);
	if (!b.dry_run)
		must_not_be_atomic(
			fcinfo, "cancel_batch",
			"Call it outside a transaction block, or use ordcancel.cancel_orders().");

	/* The context of this SPI connection outlives the commits. */
	SPI_connect_ext(args_call_is_atomic(fcinfo) ? 0 : SPI_OPT_NONATOMIC);
	prepare(&b);
	set_table(&b, fcinfo);
	b.condition = args_text(fcinfo, 1);
	check_condition(b.condition);
	b.args.reason = args_text(fcinfo, 2);
	b.args.note = args_text(fcinfo, 3);
	b.args.actor = args_actor(fcinfo, 4);
	args_metadata(fcinfo, 7, &b.args);
	b.chunk = chunk_argument(fcinfo, 5);
	b.author = GetUserId();
	b.search_path = pstrdup(namespace_search_path);
	b.date_style = GetConfigOptionByName("DateStyle", NULL, false);
	b.time_zone = GetConfigOptionByName("TimeZone", NULL, false);
	if (!decision_input_check_reason(&b.args, &refusal))
		refusal_raise(&refusal);
	PreventCommandIfReadOnly("cancel_batch()");
	batch_create(&b);
	run(&b, b.dry_run ? batch_run_dry : batch_run, !b.dry_run);
	SPI_finish();
	PG_RETURN_VOID();
}

/* The condition may run only with the rights of its author. */
static void
must_be_author(const Batch *b)
{
	char *author;

	if (GetUserId() == b->author)
		return;
	author = OidIsValid(b->author) ? GetUserNameFromId(b->author, true) : NULL;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("batch " INT64_FORMAT " was started by another role",
					b->id),
			 author ? errdetail("It belongs to role %s.",
								quote_identifier(author)) :
					  errdetail("That role no longer exists."),
			 author ? errhint("Run SET ROLE %s, then resume the batch.",
							  quote_identifier(author)) :
					  0));
}

/* Loads under the lock: another session may have resumed it meanwhile. */
static void
load_and_run(Batch *b)
{
	bool done = batch_load(b, b->id);

	must_be_author(b);
	if (done)
	{
		ereport(NOTICE,
				(errmsg("batch " INT64_FORMAT " is already done", b->id)));
		return;
	}
	args_table(false, b->orders, AccessShareLock);
	if (OidIsValid(b->items))
		b->args.verb = VERB_CANCEL_ITEMS;
	b->resumed = true;
	batch_run(b);
}

Datum
ordcancel_resume_batch(PG_FUNCTION_ARGS)
{
	Batch b = {0};

	role_must_be_merchant("resume_batch");
	must_not_be_atomic(fcinfo, "resume_batch",
					   "Call it outside a transaction block.");
	PreventCommandIfReadOnly("resume_batch()");
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("batch id must not be null")));
	b.id = PG_GETARG_INT64(0);
	prepare(&b);
	run(&b, load_and_run, true);
	SPI_finish();
	PG_RETURN_VOID();
}
