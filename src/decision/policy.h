/*
 * policy.h — a policy, and what its words and spans mean
 *
 * rules.c fills it.  As pure as decision.h, which builds on it.
 */
#ifndef ORDCANCEL_POLICY_H
#define ORDCANCEL_POLICY_H

#include "datatype/timestamp.h"

#include "decision/labels.h"

/* What a status means under a policy. */
typedef enum StatusKind
{
	STATUS_ORDINARY,
	STATUS_REQUESTED,
	STATUS_IN_PROGRESS,
	STATUS_CANCELED,
} StatusKind;

typedef struct Rule
{
	char	*status;
	RuleMode customer;
	RuleMode customer_late;
	RuleMode merchant;
	bool	 deletable;
	char	*hint; /* or NULL */
} Rule;

typedef struct Policy
{
	char	 *name;
	Interval *grace;			/* NULL: the window never closes */
	char	 *requested_status; /* these four: NULL = not configured */
	char	 *in_progress_status;
	char	 *canceled_status;
	char	 *customer_canceled_status;
	bool	  hold;				 /* on_progress = hold */
	Interval *decision_timeout;	 /* NULL: none */
	bool	  accept_on_timeout; /* else deny */
	UndoReach undo;
	Interval *undo_window; /* NULL: no limit */
	bool	  reason_required;
	int		  nrules;
	Rule	 *rules;

	/* words of it that the status column cannot hold any more, or NULL */
	const char *stale_status;
	const char *stale_rule; /* the status of a rule */
} Policy;

extern StatusKind  status_kind(const Policy *policy, const char *status);
extern const Rule *policy_rule(const Policy *policy, const char *status);

/* The end of a span, days counted as 24 hours whatever the session's zone. */
extern TimestampTz span_end(TimestampTz start, const Interval *span);

#endif /* ORDCANCEL_POLICY_H */
