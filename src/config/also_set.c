/*
 * also_set.c — columns that are set along with the status of an order
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_attribute.h"
#include "executor/spi.h"
#include "optimizer/optimizer.h"
#include "utils/rel.h"

#include "config/also_set.h"
#include "config/config_table.h"
#include "config/expression.h"
#include "config/order_table_columns.h"
#include "config/policy_load.h"
#include "decision/refusal.h"

/* Columns of ordcancel.also_set; append only. */
enum
{
	ALSO_SET_ORDERS = 1,
	ALSO_SET_STATE,
	ALSO_SET_COLUMN,
	ALSO_SET_VALUE,
	ALSO_SET_PINNED,
	ALSO_SET_FUNCTIONS,
};

const char *const also_set_names[ALSO_SET_COUNT] = {
	[ALSO_SET_REQUESTED] = "requested",
	[ALSO_SET_IN_PROGRESS] = "in_progress",
	[ALSO_SET_CANCELED] = "canceled",
	[ALSO_SET_RESTORED] = "restored",
};

/* Is a key column computed from the column?  An expression over the whole row is. */
static bool
key_is_computed_from(const OrderTable *table, TupleDesc desc, int attnum)
{
	TupleConstr *constraints = desc->constr;
	Bitmapset	*columns = NULL;

	for (int i = 0; constraints && i < constraints->num_defval; i++)
	{
		const AttrDefault *value = &constraints->defval[i];

		if (!TupleDescAttr(desc, value->adnum - 1)->attgenerated)
			continue;
		for (int k = 0; k < table->nkeys; k++)
			if (table->keys[k].attnum == value->adnum)
				pull_varattnos(stringToNode(value->adbin), 1, &columns);
	}
	return bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber,
						 columns) ||
		bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, columns);
}

const char *
also_set_fault(const OrderTable *table, Relation rel, const char *column)
{
	int				  attnum = SPI_fnumber(RelationGetDescr(rel), column);
	Form_pg_attribute att;

	if (attnum <= 0)
		return "There is no column of that name.";
	att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	if (att->attgenerated)
		return "It is a generated column.";
	if (att->attidentity == ATTRIBUTE_IDENTITY_ALWAYS)
		return "It is an identity column that is always generated.";
	if (attnum == table->status.attnum)
		return "It is the status column.";
	if (attnum == table->policy_by.attnum)
		return "It names the policy of the order.";
	for (int i = 0; i < table->nkeys; i++)
		if (attnum == table->keys[i].attnum)
			return "It belongs to the primary key.";
	if (key_is_computed_from(table, RelationGetDescr(rel), attnum))
		return "A column of the primary key is computed from it.";
	return NULL;
}

/* The newline after each expression ends a "--" comment in it. */
static void
make_query(OrderTable *table, AlsoSetWhen when)
{
	AlsoSetQuery  *query = &table->also_set_queries[when];
	StringInfoData sql;

	initStringInfo(&sql);
	for (int i = 0; i < table->nalso_set; i++)
		if (table->also_set[i].when == when)
			appendStringInfo(&sql, "%s (%s\n)", sql.len ? "," : "SELECT",
							 table->also_set[i].value);
	if (sql.len == 0)
		return;
	appendStringInfo(&sql,
					 " FROM pg_catalog.unnest($1) AS pair"
					 " (o %s, c ordcancel.cancellation),"
					 " LATERAL pg_catalog.unnest(ARRAY[pair.o]) AS " PINNED_ROW
					 ", LATERAL pg_catalog.unnest(ARRAY[pair.c])"
					 " AS " PINNED_RECORD,
					 table->label);
	query->sql = sql.data;
	query->complaint = psprintf(
		"a value that also_set() sets in %s for state \"%s\" is no longer valid",
		table->label, also_set_names[when]);
}

typedef struct Load
{
	OrderTable *table;
	Relation	rel;
} Load;

/* A column that is missing is noticed when it is to be written. */
static void
load_row(HeapTuple row, TupleDesc desc, void *arg)
{
	const Load *load = arg;
	OrderTable *table = load->table;
	char	   *state = config_text(row, desc, ALSO_SET_STATE);
	AlsoSet	   *rule;

	table->also_set = table->also_set ?
		repalloc(table->also_set, (table->nalso_set + 1) * sizeof(AlsoSet)) :
		palloc(sizeof(AlsoSet));
	rule = &table->also_set[table->nalso_set++];
	memset(rule, 0, sizeof(AlsoSet));
	while (rule->when < ALSO_SET_COUNT - 1 &&
		   strcmp(also_set_names[rule->when], state) != 0)
		rule->when++;
	rule->column.name = config_name(row, desc, ALSO_SET_COLUMN);
	if (also_set_fault(table, load->rel, rule->column.name) == NULL)
		order_table_load_named_column(table, load->rel, &rule->column,
									  rule->column.name);
	rule->value = config_text(row, desc, ALSO_SET_PINNED);
	if (rule->value == NULL)
		rule->value = config_text(row, desc, ALSO_SET_VALUE);
	policy_load_functions(table, config_text(row, desc, ALSO_SET_FUNCTIONS));
}

void
also_set_load(OrderTable *table, Relation rel)
{
	Load load = {table, rel};

	config_scan("also_set", table->logical, load_row, &load);
	table->cancellations = config_relation("cancellation");
	for (int when = 0; when < ALSO_SET_COUNT; when++)
		make_query(table, when);
}

void
also_set_check(const OrderTable *table, AlsoSetWhen when)
{
	for (int i = 0; i < table->nalso_set; i++)
	{
		const AlsoSet *rule = &table->also_set[i];

		if (rule->when == when && rule->column.attnum == 0)
			refusal_raise_invalid_policy(
				psprintf(
					"column \"%s\" of order table %s can no longer be set",
					rule->column.name, table->label),
				"It was renamed, dropped or changed after ordcancel.also_set() was called for it.",
				"Call ordcancel.drop_also_set() for it, and ordcancel.also_set() for the present column.");
	}
}
