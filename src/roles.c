/*
 * roles.c — which party a role may act for
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/syscache.h"

#include "compat.h"
#include "roles.h"

bool
role_may(Verb verb)
{
	Oid		  schema = get_namespace_oid("ordcancel", true);
	CatCList *functions;
	bool	  may = false;

	/* A verb is declared more than once; any of them will do. */
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
	return role_may(VERB_CANCEL_ORDER) ? PARTY_MERCHANT : PARTY_CUSTOMER;
}

char *
role_name(void)
{
	return GetUserNameFromId(GetUserId(), false);
}
