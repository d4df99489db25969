/*
 * refusal_raise.c — raises refusals as errors
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/text.h"
#include "decision/refusal.h"

void
refusal_raise(const Refusal *r)
{
	ereport(ERROR,
			(errcode(r->sqlstate), errmsg_internal("%s", r->message),
			 r->detail ? errdetail_internal("%s", r->detail) : 0,
			 r->hint ? errhint("%s", r->hint) : 0));
}

void
refusal_raise_write(const Refusal *r, Relation rel)
{
	if (r->of_setup)
		refusal_raise(r);
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg_internal("%s", r->message),
			 r->detail ? errdetail_internal("%s", r->detail) : 0,
			 r->hint ? errhint("%s", r->hint) : 0,
			 errtableconstraint(rel, condition_name(r->condition))));
}

void
refusal_raise_not_attached(Oid relid)
{
	char *name = OidIsValid(relid) ? get_rel_name(relid) : NULL;

	if (name)
		name = quote_qualified_identifier(get_namespace_name(
											  get_rel_namespace(relid)),
										  name);

	ereport(ERROR,
			(errcode(condition_sqlstate(CONDITION_ORDER_TABLE_NOT_ATTACHED)),
			 name ? errmsg("table %s is not attached to ordcancel", name) :
				 !OidIsValid(relid) ?
					errmsg("order table is null") :
					errmsg("relation with OID %u does not exist", relid),
			 errhint("Call ordcancel.attach() for the order table first.")));
}

void
refusal_raise_invalid_policy(const char *message, const char *detail,
							 const char *hint)
{
	ereport(ERROR,
			(errcode(condition_sqlstate(CONDITION_INVALID_POLICY)),
			 errmsg_internal("%s", message),
			 detail ? errdetail_internal("%s", detail) : 0,
			 hint ? errhint("%s", hint) : 0));
}

void
refusal_rethrow_invalid_policy(MemoryContext caller, const char *message,
							   const char *hint)
{
	ErrorData *error;
	int		   category;

	MemoryContextSwitchTo(caller);
	error = CopyErrorData();
	category = ERRCODE_TO_CATEGORY(error->sqlerrcode);
	if (category !=
			ERRCODE_TO_CATEGORY(
				ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION) &&
		category != ERRCODE_TO_CATEGORY(ERRCODE_DATA_EXCEPTION) &&
		category != ERRCODE_TO_CATEGORY(ERRCODE_FEATURE_NOT_SUPPORTED) &&
		category !=
			ERRCODE_TO_CATEGORY(ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION))
		PG_RE_THROW();
	FlushErrorState();
	error->message[0] = pg_toupper((unsigned char) error->message[0]);
	refusal_raise_invalid_policy(message,
								 psprintf("%s.",
										  text_clip(error->message, 400)),
								 hint ? hint : error->hint);
}

void
refusal_raise_request_key(const char *key, const char *detail)
{
	ereport(
		ERROR,
		(errcode(condition_sqlstate(CONDITION_REQUEST_KEY_REUSED)),
		 errmsg("request key \"%s\" was used before", text_clip(key, 80)),
		 errdetail_internal("%s", detail),
		 errhint(
			 "Use a new key for each call; repeat a key only to retry the same call.")));
}
