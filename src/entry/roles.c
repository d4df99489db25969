/*
 * roles.c — for which party a role may act
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "config/guc.h"
#include "entry/roles.h"

bool
role_may(Verb verb)
{
	Oid		  schema = get_namespace_oid("ordcancel", true);
	CatCList *functions;
	bool	  may = false;

	/* A verb may be overloaded: EXECUTE on any of its functions will do. */
	functions = SearchSysCacheList1(PROCNAMEARGSNSP,
									CStringGetDatum(verb_name(verb)));
	for (int i = 0; i < functions->n_members && !may; i++)
	{
		Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(
			&functions->members[i]->tuple);

		may = proc->pronamespace == schema &&
			may_execute(proc->oid, GetUserId());
	}
	ReleaseCatCacheList(functions);
	return may;
}

Party
role_party(void)
{
	return !role_is_customer_only() && role_may(VERB_CANCEL_ORDER) ?
		PARTY_MERCHANT :
		PARTY_CUSTOMER;
}

bool
role_is_customer_only(void)
{
	const char *party = guc_party();

	return party && strcmp(party, party_name(PARTY_CUSTOMER)) == 0;
}

Refusal
role_merchant_refusal(const char *function)
{
	return (Refusal){
		.sqlstate = ERRCODE_INSUFFICIENT_PRIVILEGE,
		.message = psprintf("%s can be used only by the merchant", function),
		.detail = "Setting \"ordcancel.party\" is \"customer\".",
		.hint =
			"To act for the merchant, set \"ordcancel.party\" to \"merchant\" or reset it.",
	};
}

void
role_must_be_merchant(const char *function)
{
	Refusal refusal;

	if (!role_is_customer_only())
		return;
	refusal = role_merchant_refusal(function);
	refusal_raise(&refusal);
}

char *
role_name(void)
{
	return GetUserNameFromId(GetUserId(), false);
}
