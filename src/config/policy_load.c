/*
 * policy_load.c — loads policies, rules and blocks from their tables
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/memutils.h"

#include "config/config_table.h"
#include "config/order_table_check.h"
#include "config/policy_load.h"

/* Column numbers in the tables of sql/20-config.sql; append only. */
enum
{
	POLICY_ORDERS = 1,
	POLICY_NAME,
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
	POLICY_PARTLY_FULFILLED,
	POLICY_SETTLEMENT,
	POLICY_CLOSED_STATUSES,
	POLICY_REOPEN_STATUSES,
};
enum
{
	RULE_ORDERS = 1,
	RULE_POLICY,
	RULE_STATUS,
	RULE_CUSTOMER,
	RULE_CUSTOMER_LATE,
	RULE_MERCHANT,
	RULE_DELETABLE,
	RULE_HINT,
	RULE_EXPIRE_AFTER,
	RULE_EXPIRE_REASON,
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

/* Enlarges an array by one element. */
static void *
grow(void *array, int count, Size size)
{
	return array ? repalloc(array, (count + 1) * size) : palloc(size);
}

/* The policy that is being loaded. */
typedef struct LoadState
{
	Policy *policy;
	uint64	fingerprint;
} LoadState;

static void
load_policy(HeapTuple row, TupleDesc desc, void *arg)
{
	LoadState *state = arg;
	Policy	  *policy = state->policy;
	char	  *on_progress = config_text(row, desc, POLICY_ON_PROGRESS);
	char	  *on_timeout = config_text(row, desc, POLICY_ON_TIMEOUT);
	char	  *undo = config_text(row, desc, POLICY_UNDO);
	char	  *partly = config_text(row, desc, POLICY_PARTLY_FULFILLED);
	char	  *settlement = config_text(row, desc, POLICY_SETTLEMENT);

	state->fingerprint = config_fingerprint(state->fingerprint, row);
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
	policy->partly_rest = partly && strcmp(partly, "rest") == 0;
	policy->settle_after = settlement &&
		strcmp(settlement, "after_canceled") == 0;
	policy->closed_statuses = config_texts(row, desc, POLICY_CLOSED_STATUSES,
										   &policy->nclosed_statuses);
	policy->reopen_statuses = config_texts(row, desc, POLICY_REOPEN_STATUSES,
										   &policy->nreopen_statuses);
}

static void
load_rule(HeapTuple row, TupleDesc desc, void *arg)
{
	LoadState *state = arg;
	Policy	  *policy = state->policy;
	char	  *customer = config_text(row, desc, RULE_CUSTOMER);
	char	  *customer_late = config_text(row, desc, RULE_CUSTOMER_LATE);
	char	  *merchant = config_text(row, desc, RULE_MERCHANT);
	Rule	  *rule;

	state->fingerprint = config_fingerprint(state->fingerprint, row);
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
	rule->expire_after = config_interval(row, desc, RULE_EXPIRE_AFTER);
	rule->expire_reason = config_text(row, desc, RULE_EXPIRE_REASON);
}

void
policy_load_functions(OrderTable *table, const char *functions)
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
	policy_load_functions(table, config_text(row, desc, BLOCK_FUNCTIONS));
	block->hint = config_text(row, desc, BLOCK_HINT);
	block->customer = party == NULL || strcmp(party, "customer") == 0;
	block->merchant = party == NULL || strcmp(party, "merchant") == 0;
}

Policy *
policy_load(const OrderTable *table, const char *name, uint64 *fingerprint)
{
	ConfigSearch row = {.table = "policy",
						.index = "policy_pkey",
						.orders = table->logical,
						.column = POLICY_NAME,
						.text = name};
	ConfigSearch rules = {.table = "rule",
						  .index = "rule_pkey",
						  .orders = table->logical,
						  .column = RULE_POLICY,
						  .text = name};
	LoadState	 state = {.policy = palloc0(sizeof(Policy))};

	if (config_find(&row, load_policy, &state) == 0)
		return NULL;
	(void) config_find(&rules, load_rule, &state);
	order_table_check_labels(table, state.policy);
	*fingerprint = state.fingerprint;
	return state.policy;
}

void
policy_load_blocks(OrderTable *table)
{
	config_scan("block", table->logical, load_block, table);
}

static void
count_only(HeapTuple row, TupleDesc desc, void *arg)
{
}

/* Is a status among the closed_statuses of a policy? */
typedef struct ClosedSearch
{
	const char *status;
	bool		found;
} ClosedSearch;

static void
look_for_closed(HeapTuple row, TupleDesc desc, void *arg)
{
	ClosedSearch *search = arg;
	Policy		  policy = {0};

	policy.closed_statuses = config_texts(row, desc, POLICY_CLOSED_STATUSES,
										  &policy.nclosed_statuses);
	search->found |= status_is_closed(&policy, search->status);
}

bool
policy_load_is_closed(const OrderTable *table, const char *status)
{
	ClosedSearch search = {.status = status};

	(void) config_scan_index("policy", "policy_closed_statuses", POLICY_ORDERS,
							 table->logical, look_for_closed, &search);
	return search.found;
}

/* The statuses of a policy and their indexes, the highest kind first. */
static const struct
{
	const char *index;
	int			column;
	StatusKind	kind;
} policy_statuses[] = {
	{"policy_canceled_status", POLICY_CANCELED_STATUS, STATUS_CANCELED},
	{"policy_customer_canceled_status", POLICY_CUSTOMER_CANCELED_STATUS,
	 STATUS_CANCELED},
	{"policy_in_progress_status", POLICY_IN_PROGRESS_STATUS,
	 STATUS_IN_PROGRESS},
	{"policy_requested_status", POLICY_REQUESTED_STATUS, STATUS_REQUESTED},
};

StatusKind
policy_load_status_kind(const OrderTable *table, const char *status)
{
	for (int i = 0; i < lengthof(policy_statuses); i++)
	{
		ConfigSearch search = {.table = "policy",
							   .index = policy_statuses[i].index,
							   .bytewise = true,
							   .orders = table->logical,
							   .column = policy_statuses[i].column,
							   .text = status,
							   .first = true};

		if (config_find(&search, count_only, NULL) > 0)
			return policy_statuses[i].kind;
	}
	return STATUS_ORDINARY;
}

static void
take_deletable(HeapTuple row, TupleDesc desc, void *arg)
{
	if (config_bool(row, desc, RULE_DELETABLE))
		*(char **) arg = config_text(row, desc, RULE_STATUS);
}

char *
policy_load_next_deletable(const OrderTable *table, const char *after)
{
	char		*status = NULL;
	ConfigSearch search = {.table = "rule",
						   .index = "rule_deletable",
						   .bytewise = true,
						   .orders = table->logical,
						   .column = RULE_STATUS,
						   .text = after,
						   .beyond = true,
						   .first = true};

	(void) config_find(&search, take_deletable, &status);
	return status;
}

typedef struct TimerReader
{
	TimerCallback take;
	void		 *arg;
} TimerReader;

static void
read_timer(HeapTuple row, TupleDesc desc, void *arg)
{
	TimerReader *reader = arg;

	reader->take(config_oid(row, desc, RULE_ORDERS),
				 config_text(row, desc, RULE_STATUS),
				 config_interval(row, desc, RULE_EXPIRE_AFTER), reader->arg);
}

void
policy_load_timers(TimerCallback take, void *arg)
{
	TimerReader reader = {take, arg};

	(void) config_scan_partial("rule", "rule_expire_after", read_timer,
							   &reader);
}

typedef struct StatusReader
{
	PolicyStatusCallback take;
	void				*arg;
} StatusReader;

static void
read_policy_statuses(HeapTuple row, TupleDesc desc, void *arg)
{
	StatusReader	*reader = arg;
	char			*policy = config_text(row, desc, POLICY_NAME);
	static const int lists[] = {POLICY_CLOSED_STATUSES,
								POLICY_REOPEN_STATUSES};

	for (int list = 0; list < lengthof(lists); list++)
	{
		int	   count;
		char **statuses = config_texts(row, desc, lists[list], &count);

		for (int i = 0; i < count; i++)
			reader->take(statuses[i], policy, STATUS_ORDINARY, reader->arg);
	}
	for (int i = 0; i < lengthof(policy_statuses); i++)
		reader->take(config_text(row, desc, policy_statuses[i].column), policy,
					 policy_statuses[i].kind, reader->arg);
}

static void
read_rule_status(HeapTuple row, TupleDesc desc, void *arg)
{
	StatusReader *reader = arg;

	reader->take(config_text(row, desc, RULE_STATUS),
				 config_text(row, desc, RULE_POLICY), STATUS_ORDINARY,
				 reader->arg);
}

void
policy_load_statuses(const OrderTable *table, PolicyStatusCallback take,
					 void *arg)
{
	StatusReader reader = {take, arg};

	config_scan("policy", table->logical, read_policy_statuses, &reader);
	config_scan("rule", table->logical, read_rule_status, &reader);
}
