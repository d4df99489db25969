/*
 * rules.c — reading policies, rules, blocks and reasons from their tables
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "config.h"
#include "rules.h"

/* Column numbers; append only, as sql/20-config.sql is. */
enum
{
	POLICY_NAME = 2,
	POLICY_GRACE,
	POLICY_REQUESTED_STATUS,
	POLICY_IN_PROGRESS_STATUS,
	POLICY_CANCELED_STATUS,
	POLICY_CUSTOMER_CANCELED_STATUS,
	POLICY_ON_PROGRESS,
	POLICY_DECISION_TIMEOUT,
	POLICY_ON_TIMEOUT,
	POLICY_UNDO,
	POLICY_UNDO_WINDOW,
	POLICY_REASON_REQUIRED,
};
enum
{
	RULE_POLICY = 2,
	RULE_STATUS,
	RULE_CUSTOMER,
	RULE_CUSTOMER_LATE,
	RULE_MERCHANT,
	RULE_DELETABLE,
	RULE_HINT,
};
enum
{
	BLOCK_NAME = 2,
	BLOCK_CONDITION,
	BLOCK_HINT,
	BLOCK_PARTY,
	BLOCK_PINNED,
	BLOCK_FUNCTIONS,
};
enum
{
	REASON_CODE = 1,
	REASON_DESCRIPTION,
	REASON_AUDIENCE,
	REASON_REQUIRES_NOTE,
	REASON_REQUIRES_REQUEST,
	REASON_ACTIVE,
	REASON_NOTE_MAX,
};

static MemoryContext reason_context = NULL;
static Oid			 reason_table = InvalidOid;
static List			*reasons = NIL;
static uint64		 reason_changes = 1; /* counts what the callback saw */
static uint64 reasons_loaded = 0; /* the count that the list is good for */

/* Only counts: the reasons may be in use, and nothing may be read here. */
static void
reasons_invalidate(Datum arg, Oid relid)
{
	if (relid == InvalidOid || relid == reason_table)
		reason_changes++;
}

void
rules_init(void)
{
	CacheRegisterRelcacheCallback(reasons_invalidate, (Datum) 0);
}

/* Makes room for one more element at the end of an array. */
static void *
grow(void *array, int count, Size size)
{
	return array ? repalloc(array, (count + 1) * size) : palloc(size);
}

static void
load_policy(HeapTuple row, TupleDesc desc, void *arg)
{
	OrderTable *table = arg;
	Policy	   *policy;
	char	   *on_progress = config_text(row, desc, POLICY_ON_PROGRESS);
	char	   *on_timeout = config_text(row, desc, POLICY_ON_TIMEOUT);
	char	   *undo = config_text(row, desc, POLICY_UNDO);

	table->policies = grow(table->policies, table->npolicies, sizeof(Policy));
	policy = &table->policies[table->npolicies++];
	memset(policy, 0, sizeof(Policy));
	policy->name = config_text(row, desc, POLICY_NAME);
	policy->grace = config_interval(row, desc, POLICY_GRACE);
	policy->requested_status = config_text(row, desc, POLICY_REQUESTED_STATUS);
	policy->in_progress_status = config_text(row, desc,
											 POLICY_IN_PROGRESS_STATUS);
	policy->canceled_status = config_text(row, desc, POLICY_CANCELED_STATUS);
	policy->customer_canceled_status = config_text(
		row, desc, POLICY_CUSTOMER_CANCELED_STATUS);
	policy->hold = on_progress && strcmp(on_progress, "hold") == 0;
	policy->decision_timeout = config_interval(row, desc,
											   POLICY_DECISION_TIMEOUT);
	policy->accept_on_timeout = on_timeout &&
		strcmp(on_timeout, "accept") == 0;
	policy->undo = UNDO_CANCELED;
	if (undo)
		undo_reach_from_name(undo, &policy->undo);
	policy->undo_window = config_interval(row, desc, POLICY_UNDO_WINDOW);
	policy->reason_required = config_bool(row, desc, POLICY_REASON_REQUIRED);
}

static void
load_rule(HeapTuple row, TupleDesc desc, void *arg)
{
	OrderTable *table = arg;
	char	   *name = config_text(row, desc, RULE_POLICY);
	char	   *customer = config_text(row, desc, RULE_CUSTOMER);
	char	   *customer_late = config_text(row, desc, RULE_CUSTOMER_LATE);
	char	   *merchant = config_text(row, desc, RULE_MERCHANT);
	Policy	   *policy = NULL;
	Rule	   *rule;

	for (int i = 0; i < table->npolicies; i++)
		if (strcmp(table->policies[i].name, name) == 0)
			policy = &table->policies[i];
	if (policy == NULL)
		return;

	policy->rules = grow(policy->rules, policy->nrules, sizeof(Rule));
	rule = &policy->rules[policy->nrules++];
	memset(rule, 0, sizeof(Rule));
	rule->status = config_text(row, desc, RULE_STATUS);
	if (customer)
		mode_from_name(customer, &rule->customer);
	rule->customer_late = rule->customer;
	if (customer_late)
		mode_from_name(customer_late, &rule->customer_late);
	if (merchant)
		mode_from_name(merchant, &rule->merchant);
	rule->deletable = config_bool(row, desc, RULE_DELETABLE);
	rule->hint = config_text(row, desc, RULE_HINT);
}

/* What the expressions call, all together; see order_facts. */
void
add_functions(OrderTable *table, const char *functions)
{
	if (functions)
		table->functions = psprintf("%s\n%s",
									table->functions ? table->functions : "",
									functions);
}

static void
load_block(HeapTuple row, TupleDesc desc, void *arg)
{
	OrderTable *table = arg;
	BlockRule  *block;
	char	   *party = config_text(row, desc, BLOCK_PARTY);

	table->blocks = grow(table->blocks, table->nblocks, sizeof(BlockRule));
	block = &table->blocks[table->nblocks++];
	block->name = config_text(row, desc, BLOCK_NAME);
	block->condition = config_text(row, desc, BLOCK_PINNED);
	if (block->condition == NULL)
		block->condition = config_text(row, desc, BLOCK_CONDITION);
	add_functions(table, config_text(row, desc, BLOCK_FUNCTIONS));
	block->hint = config_text(row, desc, BLOCK_HINT);
	block->customer = party == NULL || strcmp(party, "customer") == 0;
	block->merchant = party == NULL || strcmp(party, "merchant") == 0;
}

void
rules_load(OrderTable *table)
{
	config_scan("policy", table->relid, load_policy, table);
	config_scan("rule", table->relid, load_rule, table);
	config_scan("block", table->relid, load_block, table);

	for (int i = 0; i < table->npolicies; i++)
		if (strcmp(table->policies[i].name, "default") == 0)
			table->default_policy = &table->policies[i];

	for (int i = 0; i < table->npolicies; i++)
		for (int j = 0; j < table->policies[i].nrules; j++)
		{
			const Rule *rule = &table->policies[i].rules[j];

			if (rule->deletable &&
				status_kind(&table->policies[i], rule->status) ==
					STATUS_CANCELED)
				table->canceled_deletable = true;
		}

	/* attach makes it; only a superuser could have taken it away. */
	if (table->default_policy == NULL)
	{
		table->default_policy = palloc0(sizeof(Policy));
		table->default_policy->name = pstrdup("default");
	}
}

static void
load_reason(HeapTuple row, TupleDesc desc, void *arg)
{
	Reason *reason = palloc0(sizeof(Reason));
	char   *audience = config_text(row, desc, REASON_AUDIENCE);

	reason->code = config_text(row, desc, REASON_CODE);
	reason->audience = AUDIENCE_ANY;
	if (audience)
		audience_from_name(audience, &reason->audience);
	reason->requires_note = config_bool(row, desc, REASON_REQUIRES_NOTE);
	reason->requires_request = config_bool(row, desc, REASON_REQUIRES_REQUEST);
	reason->active = config_bool(row, desc, REASON_ACTIVE);
	reason->note_max = config_int(row, desc, REASON_NOTE_MAX);
	*(List **) arg = lappend(*(List **) arg, reason);
}

/*
 * An old list may still be in use by a verb further up the stack, so it goes
 * with the transaction.  The new one is good for the count taken before the
 * scan: an error half-way, or a change meanwhile, leaves it to be read again.
 */
const Reason *
reason_find(const char *code)
{
	ListCell *lc;

	AcceptInvalidationMessages();
	if (reasons_loaded != reason_changes)
	{
		MemoryContext fresh = AllocSetContextCreate(CurrentMemoryContext,
													"ordcancel reasons",
													ALLOCSET_SMALL_SIZES);
		MemoryContext caller = MemoryContextSwitchTo(fresh);
		List		 *list = NIL;
		uint64		  seen;

		reason_table = config_relation("reason");
		seen = reason_changes;
		config_scan("reason", InvalidOid, load_reason, &list);
		MemoryContextSwitchTo(caller);

		if (reason_context)
			MemoryContextSetParent(reason_context, TopTransactionContext);
		MemoryContextSetParent(fresh, CacheMemoryContext);
		reason_context = fresh;
		reasons = list;
		reasons_loaded = seen;
	}

	foreach(lc, reasons)
	{
		const Reason *reason = lfirst(lc);

		if (strcmp(reason->code, code) == 0)
			return reason;
	}
	return NULL;
}

typedef struct MethodSearch
{
	const char *code;
	bool		found;
} MethodSearch;

static void
match_method(HeapTuple row, TupleDesc desc, void *arg)
{
	MethodSearch *search = arg;

	if (strcmp(config_text(row, desc, 1), search->code) == 0)
		search->found = true;
}

bool
refund_method_exists(const char *code)
{
	MethodSearch search = {.code = code};

	if (code)
		config_scan("refund_method", InvalidOid, match_method, &search);
	return search.found;
}
