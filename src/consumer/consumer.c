/*
 * consumer.c — the row of a consumer: locking, loading, saving
 */
#include "postgres.h"

#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "config/config_table.h"
#include "config/guc.h"
#include "config/run_as.h"
#include "consumer/consumer.h"
#include "consumer/late_events.h"
#include "rows/plan_cache.h"

static bool
lock_number(uint32 number, bool wait)
{
	LOCKTAG tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, config_relation("consumer"), number,
					   0);
	return LockAcquire(&tag, ExclusiveLock, false, !wait) !=
		LOCKACQUIRE_NOT_AVAIL;
}

/* The columns that consumer_load reads, in this order. */
enum
{
	LOADED_ORDERS = 1,
	LOADED_OWNER,
	LOADED_TYPES,
	LOADED_PASSED,
	LOADED_WINDOW,
	LOADED_REPLAY_FROM,
	LOADED_ACKNOWLEDGED,
	LOADED_DELIVERED,
	LOADED_DELIVERED_ALL,
	LOADED_SKIPPED,
	LOADED_CLUSTER,
	LOADED_DATABASE,
	LOADED_POLLED_LONG_AGO,
	LOADED_NUMBER,
};

static Datum
loaded(int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column,
						 isnull);
}

static int64
loaded_bigint(int column)
{
	bool  isnull;
	Datum value = loaded(column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

/* A copy of an array in the current memory context; NULL if it is null. */
static ArrayType *
loaded_array(int column)
{
	bool  isnull;
	Datum value = loaded(column, &isnull);

	return isnull ? NULL : DatumGetArrayTypePCopy(value);
}

static void
read_types(Consumer *c, ArrayType *types)
{
	if (types)
		deconstruct_array(types, TEXTOID, -1, false, TYPALIGN_INT, &c->types,
						  NULL, &c->ntypes);
}

static void
read_skipped(Consumer *c, ArrayType *skipped)
{
	Datum *ids;

	if (skipped == NULL)
		return;
	deconstruct_array(skipped, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &ids, NULL, &c->nskipped);
	c->skipped = palloc(c->nskipped * sizeof(int64));
	for (int i = 0; i < c->nskipped; i++)
		c->skipped[i] = DatumGetInt64(ids[i]);
}

/* A consumer of a dropped role is left to superusers. */
static void
check_member(const Consumer *c, const char *owner)
{
	if (OidIsValid(c->role) ? has_privs_of_role(GetUserId(), c->role) :
							  superuser())
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for consumer \"%s\"", c->name),
			 errdetail("It belongs to role \"%s\".", owner)));
}

void
consumer_load(Consumer *c, const char *name)
{
	static SPIPlanPtr plan = NULL;
	Parameters		  p = {0};
	TimestampTz		  now = guc_now();
	bool			  isnull;
	char			 *owner;
	ArrayType		 *window;
	uint64			  rows;

	parameter_text(&p, name);
	parameter_time(&p, &now);
	rows = extension_read_latest(
		&plan,
		"SELECT c.orders::oid, c.owner, c.types, c.passed, c.window_end, c.replay_from, c.acknowledged,"
		" c.delivered, c.delivered_all,"
		" c.skipped, c.cluster, c.database, c.polled_at < $2 - interval '10 minutes', c.number"
		" FROM ordcancel.consumer AS c WHERE c.name = $1",
		&p);
	if (rows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("consumer \"%s\" does not exist", name),
				 errhint("Create it with ordcancel.create_consumer().")));
	memset(c, 0, sizeof(Consumer));
	c->name = pstrdup(name);
	c->orders = DatumGetObjectId(loaded(LOADED_ORDERS, &isnull));
	if (isnull)
		c->orders = InvalidOid;
	owner = pstrdup(NameStr(*DatumGetName(loaded(LOADED_OWNER, &isnull))));
	c->role = get_role_oid(owner, true);
	check_member(c, owner);
	read_types(c, loaded_array(LOADED_TYPES));
	c->passed = event_horizon_from_array(loaded_array(LOADED_PASSED));
	window = loaded_array(LOADED_WINDOW);
	c->window = window ? event_horizon_from_array(window) : NULL;
	c->replay_from = loaded_bigint(LOADED_REPLAY_FROM);
	c->acknowledged = loaded_bigint(LOADED_ACKNOWLEDGED);
	c->delivered = loaded_bigint(LOADED_DELIVERED);
	c->delivered_all = DatumGetBool(loaded(LOADED_DELIVERED_ALL, &isnull));
	read_skipped(c, loaded_array(LOADED_SKIPPED));
	c->number = (uint32) DatumGetInt32(loaded(LOADED_NUMBER, &isnull));
	c->cluster = loaded_bigint(LOADED_CLUSTER);
	c->moved = c->cluster != (int64) GetSystemIdentifier() ||
		DatumGetObjectId(loaded(LOADED_DATABASE, &isnull)) != MyDatabaseId ||
		event_horizon_is_foreign(c->window ? c->window : c->passed);
	c->polled_long_ago = DatumGetBool(
							 loaded(LOADED_POLLED_LONG_AGO, &isnull)) ||
		isnull;
	SPI_freetuptable(SPI_tuptable);
}

static void
parameter_bigint(Parameters *p, int64 value, bool isnull)
{
	parameter_value(p, INT8OID, Int64GetDatum(value), isnull);
}

static void
parameter_horizon(Parameters *p, const EventHorizon *h)
{
	parameter_value(p, INT8ARRAYOID,
					h ? PointerGetDatum(event_horizon_to_array(h)) : (Datum) 0,
					h == NULL);
}

void
consumer_save(const Consumer *c, ConsumerChange change)
{
	static SPIPlanPtr plan = NULL;
	Parameters		  p = {0};
	TimestampTz		  now = guc_now();
	uint64			  rows;

	parameter_text(&p, c->name);
	parameter_horizon(&p, c->passed);
	parameter_horizon(&p, c->window);
	parameter_bigint(&p, c->replay_from, c->replay_from == 0);
	parameter_bigint(&p, c->acknowledged, false);
	parameter_bigint(&p, c->delivered, false);
	parameter_value(&p, BOOLOID, BoolGetDatum(c->delivered_all), false);
	parameter_bigint(&p, (int64) GetSystemIdentifier(), false);
	parameter_value(&p, OIDOID, ObjectIdGetDatum(MyDatabaseId), false);
	parameter_value(&p, BOOLOID, BoolGetDatum(change == CONSUMER_DELIVERED),
					false);
	parameter_value(&p, BOOLOID, BoolGetDatum(change == CONSUMER_ACKNOWLEDGED),
					false);
	parameter_time(&p, &now);
	rows = extension_run(
		&plan,
		"UPDATE ordcancel.consumer SET passed = $2, window_end = $3, replay_from = $4, acknowledged = $5,"
		" delivered = $6, delivered_all = $7, cluster = $8, database = $9,"
		" delivered_at = CASE WHEN $10 THEN $12 ELSE delivered_at END,"
		" acknowledged_at = CASE WHEN $11 THEN $12 ELSE acknowledged_at END,"
		" polled_at = CASE WHEN $11 THEN polled_at ELSE $12 END,"
		" waiting_since = CASE WHEN $3 IS NULL THEN NULL WHEN $11 OR waiting_since IS NULL"
		" THEN $12 ELSE waiting_since END"
		" WHERE name = $1",
		&p);
	/* A consumer that was created since the snapshot is not found. */
	if (rows == 0)
		ereport(
			ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent changes"),
			 errdetail(
				 "Consumer \"%s\" was created after this transaction began.",
				 c->name),
			 errhint("The transaction might succeed if retried.")));
}

void
consumer_end_window(Consumer *c)
{
	c->passed = c->window;
	c->window = NULL;
	c->replay_from = 0;
	c->delivered_all = false;
}

void
consumer_take_over(Consumer *c)
{
	const EventHorizon *last = c->window ? c->window : c->passed;
	int64				settled = event_horizon_settled(last);

	PushActiveSnapshot(GetLatestSnapshot());
	settled = Min(settled, late_events_start(last, c->cluster));
	PopActiveSnapshot();
	/* Of the window, all up to "acknowledged" are done, also replayed ones. */
	if (c->window)
		settled = Min(settled, c->acknowledged);
	else if (c->replay_from > 0)
		settled = Min(settled, c->replay_from - 1);

	/*
	 * Of transactions that are running here, any event may be unseen: where the
	 * sequence was behind the old position, they have lower IDs.
	 */
	c->passed = event_horizon_take(NULL);
	PopActiveSnapshot();
	c->window = NULL;
	c->delivered_all = false;
	c->replay_from = settled + 1;
	c->cluster = (int64) GetSystemIdentifier();
	c->moved = false;
}

/*
 * The row is read before locking, so that only members can lock a consumer,
 * and again afterwards, when no other worker can move the position.
 */
bool
consumer_open(Consumer *c, const char *name, bool wait)
{
	uint32 locked;

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("name of the consumer must not be null")));
	consumer_load(c, name);
	do
	{
		locked = c->number;
		if (!lock_number(locked, wait))
			return false;
		consumer_load(c, name);
	} while (c->number != locked); /* it was dropped and created again */
	if (c->moved)
	{
		consumer_take_over(c);
		consumer_save(c, CONSUMER_MOVED);
	}
	return true;
}

bool
consumer_wants(const Consumer *c, uint64 xid, int64 event_id)
{
	bool replayed = c->replay_from > 0 && event_id >= c->replay_from;

	if (event_horizon_sees(c->passed, xid, event_id) && !replayed)
		return false;
	return c->window == NULL || event_id > c->acknowledged ||
		!event_horizon_sees(c->window, xid, event_id);
}
