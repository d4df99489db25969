/*
 * policy.c — what statuses and intervals mean under a policy
 */
#include "postgres.h"

#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "base/text.h"
#include "decision/policy.h"

/* From here on span_end() returns infinity, to avoid an overflow error. */
#define LATEST_START (END_TIMESTAMP - INT64CONST(2000) * 366 * USECS_PER_DAY)

TimestampTz
span_end(TimestampTz start, const Interval *span)
{
	if (TIMESTAMP_IS_NOBEGIN(start))
		return DT_NOBEGIN;
	if (start >= LATEST_START)
		return DT_NOEND;

	/*
	 * Not timestamptz_pl_interval(): with days in the interval its result
	 * depends on TimeZone, so that a caller could extend a grace period.
	 */
	return DatumGetTimestamp(DirectFunctionCall2(timestamp_pl_interval,
												 TimestampGetDatum(start),
												 IntervalPGetDatum(span)));
}

/* Months differ in length, so that "now - span" would not be exact. */
TimestampTz
span_start_before(TimestampTz now, const Interval *span)
{
	TimestampTz ended = MIN_TIMESTAMP;
	TimestampTz open = now < LATEST_START ? now : LATEST_START;

	if (TIMESTAMP_IS_NOBEGIN(now) || open <= ended ||
		span_end(ended, span) >= now)
		return DT_NOBEGIN;
	while ((uint64) open - (uint64) ended > 1)
	{
		TimestampTz middle = ended +
			(TimestampTz) (((uint64) open - (uint64) ended) / 2);

		if (span_end(middle, span) < now)
			ended = middle;
		else
			open = middle;
	}
	return ended;
}

StatusKind
status_kind(const Policy *policy, const char *status)
{
	if (equal_and_not_null(policy->canceled_status, status) ||
		equal_and_not_null(policy->customer_canceled_status, status))
		return STATUS_CANCELED;
	if (equal_and_not_null(policy->in_progress_status, status))
		return STATUS_IN_PROGRESS;
	if (equal_and_not_null(policy->requested_status, status))
		return STATUS_REQUESTED;
	return STATUS_ORDINARY;
}

static bool
is_one_of(char *const *statuses, int count, const char *status)
{
	for (int i = 0; i < count; i++)
		if (equal_and_not_null(statuses[i], status))
			return true;
	return false;
}

bool
status_is_closed(const Policy *policy, const char *status)
{
	return is_one_of(policy->closed_statuses, policy->nclosed_statuses,
					 status);
}

bool
status_reopens(const Policy *policy, const char *status)
{
	return is_one_of(policy->reopen_statuses, policy->nreopen_statuses,
					 status);
}

const Rule *
policy_rule(const Policy *policy, const char *status)
{
	for (int i = 0; i < policy->nrules; i++)
		if (equal_and_not_null(policy->rules[i].status, status))
			return &policy->rules[i];
	return NULL;
}
