/*
 * status_equality.c — statuses that are equal but differ as text
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "config/policy_load.h"
#include "config/run_as.h"
#include "config/status_equality.h"
#include "decision/refusal.h"

bool
status_equality_needed(const OrderTable *table)
{
	Oid type = table->status.base;

	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return !get_collation_isdeterministic(table->status_collation);
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case UUIDOID:
		case NAMEOID:
		case BOOLOID:
		case CHAROID:
			return false;
		default:
			return get_typtype(type) != TYPTYPE_ENUM;
	}
}

static void
add_status_name(char *text, char *policy, StatusKind kind, void *arg)
{
	OrderTable *table = arg;
	int			size = table->nstatus_names;

	if (text == NULL)
		return;
	if (size == 0)
		table->status_names = palloc(sizeof(StatusName));
	else if ((size & (size - 1)) == 0)
		table->status_names = repalloc(table->status_names,
									   2 * size * sizeof(StatusName));
	table->status_names[table->nstatus_names++] = (StatusName){
		.text = text,
		.policy = policy,
		.kind = kind,
	};
}

void
status_equality_load(OrderTable *table)
{
	TypeCacheEntry *type;
	RunAsScope		scope;

	type = lookup_type_cache(table->status.type, TYPECACHE_EQ_OPR);
	if (!OidIsValid(type->eq_opr))
		refusal_raise_invalid_policy(
			psprintf("statuses of %s cannot be compared", table->label),
			"The column's type has no default equality.", NULL);
	fmgr_info_cxt(get_opcode(type->eq_opr), &table->status_equal,
				  table->context);

	policy_load_statuses(table, add_status_name, table);
	run_as_owner_restricted(&scope, table);
	for (int i = 0; i < table->nstatus_names; i++)
		table->status_names[i].value = InputFunctionCall(
			&table->status.in, table->status_names[i].text,
			table->status.ioparam, table->status.typmod);
	run_as_end(&scope);
}

static bool
equals_status(const OrderTable *table, Datum value, const StatusName *name)
{
	return DatumGetBool(FunctionCall2Coll((FmgrInfo *) &table->status_equal,
										  table->status_collation, value,
										  name->value));
}

char *
status_equality_canonical(const OrderTable *table, const Policy *policy,
						  Datum value, char *text)
{
	for (int own = 1; own >= 0; own--)
		for (int i = 0; i < table->nstatus_names; i++)
		{
			const StatusName *name = &table->status_names[i];

			if ((strcmp(name->policy, policy->name) == 0) == own &&
				equals_status(table, value, name))
				return pstrdup(name->text);
		}
	return text;
}

/* A status of the configuration that is spelled like this, or NULL. */
static const StatusName *
find_text(const OrderTable *table, const char *status)
{
	for (int i = 0; i < table->nstatus_names; i++)
		if (strcmp(table->status_names[i].text, status) == 0)
			return &table->status_names[i];
	return NULL;
}

const char *
status_equality_spelling(const OrderTable *table, const Policy *policy,
						 const char *status)
{
	const StatusName *same = status ? find_text(table, status) : NULL;

	return same ?
		status_equality_canonical(table, policy, same->value, same->text) :
		status;
}

StatusKind
status_equality_kind(const OrderTable *table, const char *status)
{
	const StatusName *same = find_text(table, status);
	StatusKind		  kind = STATUS_ORDINARY;

	for (int i = 0; i < table->nstatus_names && same; i++)
		if (equals_status(table, same->value, &table->status_names[i]))
			kind = Max(kind, table->status_names[i].kind);
	return kind;
}
