/*
 * policy.h — a policy with its rules
 *
 * Plain structs, filled by config/policy_load.c.  The functions read no catalog
 * and no clock.  A status is the text of the status column's value.
 */
#ifndef ORDCANCEL_POLICY_H
#define ORDCANCEL_POLICY_H

#include "datatype/timestamp.h"

#include "decision/labels.h"

/* What a status means; ascending, where policies disagree the highest wins. */
typedef enum StatusKind
{
	STATUS_ORDINARY, /* no cancellation */
	STATUS_REQUESTED,
	STATUS_IN_PROGRESS,
	STATUS_CANCELED,
} StatusKind;

/* What is allowed for orders in a status. */
typedef struct Rule
{
	char	*status;
	RuleMode customer;
	RuleMode customer_late; /* after the grace period */
	RuleMode merchant;
	bool	 deletable;
	char	*hint; /* or NULL */

	Interval *expire_after;	 /* sweep() cancels the order then; NULL: never */
	char	 *expire_reason; /* with this reason, or NULL */
} Rule;

typedef struct Policy
{
	char	 *name;
	Interval *grace;			/* NULL: unlimited */
	char	 *requested_status; /* the four statuses: NULL if not set */
	char	 *in_progress_status;
	char	 *canceled_status;
	char	 *customer_canceled_status;
	bool	  hold;				 /* on_progress is "hold" */
	Interval *decision_timeout;	 /* NULL: none */
	bool	  accept_on_timeout; /* otherwise it is denied */
	UndoReach undo;
	Interval *undo_window; /* NULL: no limit */
	bool	  reason_required;
	bool	  partly_rest;	/* partly_fulfilled is "rest" */
	bool	  settle_after; /* settlement is "after_canceled" */
	int		  nclosed_statuses;
	char	**closed_statuses; /* to which a canceled order may move on */
	int		  nreopen_statuses;
	char	**reopen_statuses; /* with which a merchant may undo */
	int		  nrules;
	Rule	 *rules;

	/* a status that is no longer a label of the column's enum, or NULL */
	const char *stale_status; /* one of the four statuses */
	const char *stale_rule;	  /* the status of a rule */
} Policy;

/* What the status means under this policy alone; ORDINARY for NULL. */
extern StatusKind status_kind(const Policy *policy, const char *status);

/* Is the status one of the closed_statuses, or of the reopen_statuses? */
extern bool status_is_closed(const Policy *policy, const char *status);
extern bool status_reopens(const Policy *policy, const char *status);

/* The rule for the status, or NULL. */
extern const Rule *policy_rule(const Policy *policy, const char *status);

/*
 * start + span, where a day has 24 hours in every time zone.  Infinite if start
 * is infinite, or so late that the sum might overflow.
 */
extern TimestampTz span_end(TimestampTz start, const Interval *span);

/* The latest start for which span_end() is before "now"; maybe -infinity. */
extern TimestampTz span_start_before(TimestampTz now, const Interval *span);

#endif /* ORDCANCEL_POLICY_H */
