/*
 * guard.c — the triggers that apply the rules to plain writes
 *
 * The triggers on the order table are AFTER ROW, because BEFORE triggers of
 * others can still change the row.  A change of the status, key or policy is
 * decided as in the functions, and recorded as they would record it.  The
 * decision uses the old row: new values of placed_at, or of columns that a
 * block uses, do not count if the same statement changes the status.  An
 * UPDATE by which deleted_when becomes true is decided as a DELETE, too.
 *
 * The trigger on the record tables is BEFORE STATEMENT and refuses everything:
 * ordcancel itself writes them without statements.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "storage/itemptr.h"
#include "utils/datum.h"
#include "utils/rel.h"

#include "base/text.h"
#include "base/trigger_call.h"
#include "base/virtual_columns.h"
#include "config/guarded_columns.h"
#include "config/guc.h"
#include "config/policy_cache.h"
#include "config/run_as.h"
#include "decision/refusal.h"
#include "entry/args.h"
#include "entry/guard_deleted.h"
#include "entry/guard_truncate.h"
#include "entry/roles.h"
#include "lifecycle/lifecycle.h"
#include "rows/order_key.h"
#include "rows/order_row.h"
#include "rows/order_update.h"
#include "rows/partition_map.h"
#include "rows/record.h"
#include "rows/record_delete.h"
#include "rows/visibility.h"

PG_FUNCTION_INFO_V1(ordcancel_guard_update);
PG_FUNCTION_INFO_V1(ordcancel_guard_insert);
PG_FUNCTION_INFO_V1(ordcancel_guard_delete);
PG_FUNCTION_INFO_V1(ordcancel_guard_record);

static OrderTable *
guarded_table(const TriggerData *trigger)
{
	OrderTable *table = order_table_of(trigger->tg_relation);

	if (table == NULL)
		refusal_raise_not_attached(RelationGetRelid(trigger->tg_relation));
	return table;
}

/* Fills a target from a row of the attached table or of a partition of it. */
static void
target_from_row(CancelTarget *c, OrderTable *table, Relation fired,
				HeapTuple row)
{
	Relation			root;
	TupleConversionMap *map;

	memset(c, 0, sizeof(CancelTarget));
	c->table = table;
	if (RelationGetRelid(fired) == table->relid)
	{
		order_from_tuple(c, row, fired);
		return;
	}
	root = table_open(table->relid, AccessShareLock);
	map = partition_map(fired, root);
	order_from_tuple(c, map ? execute_attr_map_tuple(row, map) : row, root);
	table_close(root, NoLock);
}

static CancelArgs
plain_write_args(Verb verb, const char *source)
{
	CancelArgs args = {.verb = verb, .source = source};

	args.party = role_party();
	args.reason = guc_reason();
	args.note = guc_note();
	args.actor = args_default_actor();
	args.now = guc_now();
	return args;
}

/*
 * Cancellations refer to an order by its key, so the key of an order that has
 * any must not change.  A change of policy must not change what the status
 * means, such as canceled, nor may the new status be one that only another
 * policy uses for cancellations.
 */
static void
check_key_and_policy(const TriggerData *trigger, CancelTarget *before,
					 CancelTarget *after, bool key_changed,
					 bool status_changed)
{
	StatusKind was = status_changed ?
		policy_cache_status_kind(before->table, before->policy,
								 after->status) :
		before->kind;
	bool	   same_meaning = status_changed ?
			  was == status_kind(after->policy, after->status) :
			  was == after->kind;

	if (key_changed)
	{
		record_find(before, 1);
		record_find(after, 1);
		if (before->any_record || after->any_record)
			ereport(
				ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("key of order %s of %s cannot change to %s",
						text_clip(before->key_text, 80), before->table->label,
						text_clip(after->key_text, 80)),
				 errdetail("Cancellations are recorded under the old key."),
				 errtableconstraint(trigger->tg_relation,
									"order_has_cancellations")));
	}
	if (!same_meaning &&
		strcmp(before->policy->name, after->policy->name) != 0)
		ereport(
			ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg(
				 "policy of order %s of %s cannot change from \"%s\" to \"%s\"",
				 text_clip(before->key_text, 80), before->table->label,
				 before->policy->name, after->policy->name),
			 errdetail(
				 "Status \"%s\" is a status of cancellations in only one of these policies.",
				 text_clip(after->status, 80)),
			 errtableconstraint(trigger->tg_relation,
								condition_name(
									CONDITION_CANCELLATION_FORBIDDEN))));
}

/*
 * Are all guarded columns unchanged, byte by byte?  The type's own equality
 * would not do: a case-insensitive status could change to a spelling that no
 * rule has.
 */
static bool
guarded_columns_unchanged(const TriggerData *trigger)
{
	TupleDesc		  desc = RelationGetDescr(trigger->tg_relation);
	const AttrNumber *guarded;
	int count = guarded_columns_get(trigger->tg_relation, &guarded);

	for (int i = 0; i < count; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, guarded[i] - 1);
		bool			  was_null;
		bool			  is_null;
		Datum was = heap_getattr(trigger->tg_trigtuple, guarded[i], desc,
								 &was_null);
		Datum is = heap_getattr(trigger->tg_newtuple, guarded[i], desc,
								&is_null);

		if (was_null != is_null || column_is_virtual(att))
			return false;
		if (!was_null && !datum_image_eq(was, is, att->attbyval, att->attlen))
			return false;
	}
	return count > 0;
}

pg_noreturn static void
raise_write(const OrderTable *table, Refusal *refusal, Relation rel)
{
	visibility_redact(table, false, refusal);
	refusal_raise_write(refusal, rel);
}

Datum
ordcancel_guard_update(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_call_after_row(fcinfo,
												  TRIGGER_EVENT_UPDATE);
	OrderTable	*table;
	CancelTarget before;
	CancelTarget after;
	RunAsScope	 scope;
	CancelArgs	 args;
	Refusal		 refusal;
	StatusKind	 kind;
	bool		 key_changed;
	bool		 status_changed;
	bool		 allowed;

	if (guarded_columns_unchanged(trigger))
		return PointerGetDatum(NULL);
	table = guarded_table(trigger);
	target_from_row(&before, table, trigger->tg_relation,
					trigger->tg_trigtuple);
	target_from_row(&after, table, trigger->tg_relation, trigger->tg_newtuple);
	key_changed = !order_key_same(table, before.key, after.key);
	kind = after.kind;

	/* Of a status of a cancellation, a change of case counts as well. */
	status_changed = kind == STATUS_ORDINARY ?
		!equal_or_both_null(before.status, after.status) :
		!equal_or_both_null(before.raw_status, after.raw_status);
	if (!key_changed &&
		order_update_is_ours(table, before.key, before.status, after.status))
	{
		before.next_status = after.status;
		if (guard_deleted_now(&after))
			order_written_deleted(&before);
		return PointerGetDatum(NULL);
	}

	args = plain_write_args(VERB_MOVE, "update");
	run_as_owner_spi(&scope, table);
	check_key_and_policy(trigger, &before, &after, key_changed,
						 status_changed);
	guard_find_deleted(&before, &after);

	/* The cancellation is recorded under the new key. */
	before.key = after.key;
	before.key_text = after.key_text;
	allowed = before.deleted ?
		after.deleted || guard_restored(&after, &refusal) :
		(!status_changed ||
		 lifecycle_change(&before, &args,
						  kind == STATUS_ORDINARY ? after.status :
													after.raw_status,
						  kind, &refusal)) &&
			(!after.deleted ||
			 guard_soft_delete(&before, status_changed, &refusal));
	run_as_end_spi(&scope);
	if (!allowed)
		raise_write(table, &refusal, trigger->tg_relation);
	return PointerGetDatum(NULL);
}

/* For INSERT and DELETE. */
static Datum
check_row(TriggerData *trigger, OrderTable *table, Verb verb)
{
	CancelTarget c;
	RunAsScope	 scope;
	CancelArgs	 args = {.verb = verb, .party = PARTY_SYSTEM};
	Refusal		 refusal;
	bool		 allowed;

	target_from_row(&c, table, trigger->tg_relation, trigger->tg_trigtuple);
	if (lifecycle_row_needs_record(table, verb))
	{
		args.now = guc_now();
		run_as_owner_spi(&scope, table);
		allowed = lifecycle_row(&c, &args, &refusal);
		run_as_end_spi(&scope);
	}
	else
		allowed = lifecycle_row(&c, &args, &refusal);
	if (!allowed && !guard_deleted_already(&c))
		raise_write(table, &refusal, trigger->tg_relation);
	return PointerGetDatum(NULL);
}

Datum
ordcancel_guard_insert(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_call_after_row(fcinfo,
												  TRIGGER_EVENT_INSERT);

	return check_row(trigger, guarded_table(trigger), VERB_INSERT);
}

Datum
ordcancel_guard_delete(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_call_after_row(fcinfo,
												  TRIGGER_EVENT_DELETE);
	OrderTable	*table = guarded_table(trigger);

	/*
	 * An update that moves a row to another partition fires DELETE and INSERT
	 * triggers instead of an UPDATE trigger, so its new status would not be
	 * checked.  The old row version is marked as moved.
	 */
	if (HeapTupleHeaderIndicatesMovedPartitions(trigger->tg_trigtuple->t_data))
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot move an order of %s to another partition",
					table->label),
			 errdetail(
				 "The update would change the key under which cancellations of the order are recorded.")));
	return check_row(trigger, table, VERB_DELETE);
}

/* BEFORE STATEMENT, on the record tables and their parents. */
Datum
ordcancel_guard_record(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_call(fcinfo);
	Relation	 rel = trigger->tg_relation;

	if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event) &&
		guard_truncate_is_ours(RelationGetRelid(rel)))
		return PointerGetDatum(NULL);
	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event) &&
		record_delete_is_ours(RelationGetRelid(rel)))
		return PointerGetDatum(NULL);
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("cannot modify record table \"%s\" directly",
					RelationGetRelationName(rel)),
			 errhint("Use the functions in schema ordcancel."),
			 errtableconstraint(rel, "written_by_ordcancel")));
}
