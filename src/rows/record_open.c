/*
 * record_open.c — opens record tables
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_inherits.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/rel.h"

#include "base/text.h"
#include "config/config_table.h"
#include "decision/refusal.h"
#include "rows/record_open.h"

/*
 * Happens only if a superuser changes a record table, or the owner of its
 * schema drops it.
 */
pg_noreturn void
record_raise_missing(const char *detail)
{
	refusal_raise_invalid_policy(
		"a record table or one of its indexes is missing", detail,
		"Call ordcancel.attach() again to re-create it. The contents of a dropped table are lost.");
}

pg_noreturn static void
raise_dropped(Oid relid)
{
	record_raise_missing(psprintf("Relation with OID %u was dropped.", relid));
}

pg_noreturn static void
raise_foreign(Oid relid, Oid owner)
{
	refusal_raise_invalid_policy(
		psprintf(
			"record table %s does not belong to the owner of the extension",
			relation_label(relid)),
		psprintf("It belongs to role \"%s\", who can change it.",
				 GetUserNameFromId(owner, false)),
		"A superuser can call ordcancel.attach() again, which checks the table and takes it over.");
}

pg_noreturn void
record_raise_foreign(Relation rel)
{
	raise_foreign(RelationGetRelid(rel), rel->rd_rel->relowner);
}

static void
check_owner(Oid relid, Oid owner)
{
	if (!config_trusts(owner))
		raise_foreign(relid, owner);
}

Relation
record_try_open(Oid relid, LOCKMODE lock)
{
	Relation rel = try_table_open(relid, lock);

	if (rel)
		check_owner(relid, rel->rd_rel->relowner);
	return rel;
}

Relation
record_open(Oid relid, LOCKMODE lock)
{
	Relation rel = record_try_open(relid, lock);

	if (rel == NULL)
		raise_dropped(relid);
	return rel;
}

char *
record_table_label(Oid relid)
{
	Oid owner = config_relation_owner(relid);

	if (!OidIsValid(owner))
		raise_dropped(relid);
	check_owner(relid, owner);
	return relation_label(relid);
}

static bool
is_foreign(Oid relid)
{
	Oid owner = config_relation_owner(relid);

	return OidIsValid(owner) && !config_trusts(owner);
}

Oid
record_find_foreign(Oid relid)
{
	ListCell *lc;

	if (!OidIsValid(config_relation_owner(relid)))
		return InvalidOid; /* there is none, or it was dropped */
	if (is_foreign(relid))
		return relid;
	if (!has_subclass(relid))
		return InvalidOid;
	foreach(lc, find_all_inheritors(relid, NoLock, NULL))
	{
		if (is_foreign(lfirst_oid(lc)))
			return lfirst_oid(lc);
	}
	return InvalidOid;
}

static void
check_owners(Oid relid)
{
	Oid foreign = record_find_foreign(relid);

	if (OidIsValid(foreign))
		raise_foreign(foreign, config_relation_owner(foreign));
}

void
record_check_owner(Oid relid)
{
	if (!OidIsValid(config_relation_owner(relid)))
		raise_dropped(relid);
	check_owners(relid);
}

void
record_check_owners(const OrderTable *table)
{
	check_owners(table->cancellation_table);
	check_owners(table->event_table);
	check_owners(table->item_records);
}
