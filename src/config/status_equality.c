/*
 * status_words.c — statuses that are equal and yet differ as text
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
status_words_fold(const OrderTable *table)
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
	int			size = table->nwords;

	if (text == NULL)
		return;
	if (size == 0)
		table->words = palloc(sizeof(StatusWord));
	else if ((size & (size - 1)) == 0)
		table->words = repalloc(table->words, 2 * size * sizeof(StatusWord));
	table->words[table->nwords++] = (StatusWord){
		.text = text,
		.policy = policy,
		.kind = kind,
	};
}

void
status_words_load(OrderTable *table)
{
	TypeCacheEntry *type;
	OwnerScope		scope;

	type = lookup_type_cache(table->status.type, TYPECACHE_EQ_OPR);
	if (!OidIsValid(type->eq_opr))
		refusal_raise_invalid_policy(
			psprintf("statuses of %s cannot be compared", table->label),
			"The column's type has no default equality.", NULL);
	fmgr_info_cxt(get_opcode(type->eq_opr), &table->word_equal,
				  table->context);

	rules_read_words(table, add_word, table);
	owner_enter_restricted(&scope, table);
	for (int i = 0; i < table->nwords; i++)
		table->words[i].value = InputFunctionCall(&table->status.in,
												  table->words[i].text,
												  table->status.ioparam,
												  table->status.typmod);
	owner_leave(&scope);
}

static bool
is_word(const OrderTable *table, Datum value, const StatusWord *word)
{
	return DatumGetBool(FunctionCall2Coll((FmgrInfo *) &table->word_equal,
										  table->status_collation, value,
										  word->value));
}

char *
order_status_word(const OrderTable *table, const Policy *policy, Datum value,
				  char *text)
{
	for (int own = 1; own >= 0; own--)
		for (int i = 0; i < table->nwords; i++)
		{
			const StatusWord *word = &table->words[i];

			if ((strcmp(word->policy, policy->name) == 0) == own &&
				is_word(table, value, word))
				return pstrdup(word->text);
		}
	return text;
}

StatusKind
status_words_meaning(const OrderTable *table, const char *word)
{
	const StatusWord *same = NULL;
	StatusKind		  kind = STATUS_ORDINARY;

	for (int i = 0; i < table->nwords && same == NULL; i++)
		if (strcmp(table->words[i].text, word) == 0)
			same = &table->words[i];
	for (int i = 0; i < table->nwords && same; i++)
		if (is_word(table, same->value, &table->words[i]))
			kind = Max(kind, table->words[i].kind);
	return kind;
}
