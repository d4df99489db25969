/*
 * status_equality.c — statuses that are equal and yet differ as text
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
add_word(char *text, char *policy, StatusKind kind, void *arg)
{
	OrderTable *table = arg;
	int			size = table->nstatus_names;

	if (text == NULL)
		return;
	if (size == 0)
		table->words = palloc(sizeof(StatusName));
	else if ((size & (size - 1)) == 0)
		table->words = repalloc(table->words, 2 * size * sizeof(StatusName));
	table->words[table->nstatus_names++] = (StatusName){
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

	policy_load_statuses(table, add_word, table);
	run_as_owner_restricted(&scope, table);
	for (int i = 0; i < table->nstatus_names; i++)
		table->words[i].value = InputFunctionCall(&table->status.in,
												  table->words[i].text,
												  table->status.ioparam,
												  table->status.typmod);
	run_as_end(&scope);
}

static bool
is_word(const OrderTable *table, Datum value, const StatusName *word)
{
	return DatumGetBool(FunctionCall2Coll((FmgrInfo *) &table->status_equal,
										  table->status_collation, value,
										  word->value));
}

char *
status_equality_canonical(const OrderTable *table, const Policy *policy,
						  Datum value, char *text)
{
	for (int own = 1; own >= 0; own--)
		for (int i = 0; i < table->nstatus_names; i++)
		{
			const StatusName *word = &table->words[i];

			if ((strcmp(word->policy, policy->name) == 0) == own &&
				is_word(table, value, word))
				return pstrdup(word->text);
		}
	return text;
}

StatusKind
status_equality_kind(const OrderTable *table, const char *word)
{
	const StatusName *same = NULL;
	StatusKind		  kind = STATUS_ORDINARY;

	for (int i = 0; i < table->nstatus_names && same == NULL; i++)
		if (strcmp(table->words[i].text, word) == 0)
			same = &table->words[i];
	for (int i = 0; i < table->nstatus_names && same; i++)
		if (is_word(table, same->value, &table->words[i]))
			kind = Max(kind, table->words[i].kind);
	return kind;
}
