/*
 * guc.c — the ordcancel.* settings
 */
#include "postgres.h"

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "base/compat.h"
#include "config/guc.h"
#include "config/node_ids.h"
#include "decision/decision.h"

int	 guc_notify = NOTIFY_COMMIT;
bool guc_allow_truncate = false;
int	 guc_cached_tables = 100;

static char *actor = NULL;
static char *reason = NULL;
static char *note = NULL;
static char *party = NULL;
static char *clock_setting = NULL;
static char *relay_databases = NULL;

static bool defined = false; /* guc_init() has finished */

static const struct config_enum_entry notify_modes[] = {
	{"commit", NOTIFY_COMMIT, false},
	{"relay", NOTIFY_RELAY, false},
	{"off", NOTIFY_OFF, false},
	{NULL, 0, false},
};

static TimestampTz
parse_clock(const char *value)
{
	return DatumGetTimestampTz(
		DirectFunctionCall3(timestamptz_in, CStringGetDatum(value),
							ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

/* Is it a keyword like "now", whose value changes over time? */
static bool
is_relative(char *keyword)
{
	int value;

	if (DecodeSpecial(0, keyword, &value) != RESERV)
		return false;
	switch (value)
	{
		case DTK_NOW:
		case DTK_YESTERDAY:
		case DTK_TODAY:
		case DTK_TOMORROW:
			return true;
		default:
			return false;
	}
}

/*
 * Is it a finite timestamp?  Not timestamptz_in(), because it raises errors,
 * which a check hook must not do.
 */
static bool
clock_is_valid(const char *value)
{
	char		 work[MAXDATELEN + MAXDATEFIELDS];
	char		*field[MAXDATEFIELDS];
	int			 type[MAXDATEFIELDS];
	int			 fields;
	int			 kind;
	int			 zone;
	struct pg_tm tm;
	fsec_t		 fraction;
	TimestampTz	 at;

	if (ParseDateTime(value, work, sizeof(work), field, type, MAXDATEFIELDS,
					  &fields) != 0)
		return false;
	for (int i = 0; i < fields; i++)
		if (type[i] == DTK_STRING && is_relative(field[i]))
			return false;
	return decode_date_time(field, type, fields, &kind, &tm, &fraction,
							&zone) == 0 &&
		kind == DTK_DATE && tm2timestamp(&tm, fraction, &zone, &at) == 0;
}

static bool
check_clock(char **value, void **extra, GucSource source)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile bool valid = (*value)[0] == '\0';

	/* In PostgreSQL 15 an unknown time zone raises an error. */
	PG_TRY();
	{
		valid = valid || clock_is_valid(*value);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		FlushErrorState();
	}
	PG_END_TRY();
	if (valid)
		return true;
	GUC_check_errdetail("The value must be an absolute timestamp or empty.");
	GUC_check_errhint("Write it like \"2026-03-02 10:00:00+00\".");
	return false;
}

/*
 * The length of a text in characters.  Raises no error for invalid encoding,
 * which a check hook must not do.  Notes are trimmed first.
 */
static int
character_count(const char *text, bool is_note)
{
	int encoding = GetDatabaseEncoding();
	int left;
	int count = 0;

	if (is_note)
		text += strspn(text, " \t\r\n");
	left = strlen(text);
	while (is_note && left > 0 && strchr(" \t\r\n", text[left - 1]))
		left--;
	for (; left > 0; count++)
	{
		int length = Max(1, pg_encoding_mblen(encoding, text));

		text += Min(length, left);
		left -= length;
	}
	return count;
}

/*
 * Can an invalid value be refused with an error?  Not if it comes from a file,
 * database or role, or was set before the library was loaded: PostgreSQL would
 * only warn, and use the default instead.  Such a value is accepted here and
 * refused when it is used.
 */
static bool
is_set_in_session(GucSource source)
{
	return defined && source >= PGC_S_CLIENT;
}

static bool
check_length(const char *value, int max_length, bool is_note, GucSource source)
{
	int count = character_count(value, is_note);

	if (count <= max_length || !is_set_in_session(source))
		return true;
	GUC_check_errdetail("It has %d characters; the maximum is %d.", count,
						max_length);
	return false;
}

static bool
check_actor(char **value, void **extra, GucSource source)
{
	return check_length(*value, NAME_MAX_LENGTH, false, source);
}

static bool
check_reason(char **value, void **extra, GucSource source)
{
	if (check_length(*value, REASON_MAX_LENGTH, false, source))
		return true;
	GUC_check_errhint("Use a code of table ordcancel.reason.");
	return false;
}

static bool
check_note(char **value, void **extra, GucSource source)
{
	return check_length(*value, NOTE_MAX_LENGTH, true, source);
}

#define PARTIES \
	"The value must be \"customer\", \"merchant\", or empty for the default of the role."

static bool
is_party(const char *value)
{
	Party known;

	return value[0] == '\0' ||
		(party_from_name(value, &known) && known != PARTY_SYSTEM);
}

static bool
check_party(char **value, void **extra, GucSource source)
{
	if (is_party(*value) || !is_set_in_session(source))
		return true;
	GUC_check_errdetail(PARTIES);
	return false;
}

#define LIST_OF_DATABASES \
	"The value must be a comma-separated list of database names."

/*
 * While the setting is being defined, refusing a value would only cause a
 * warning, and the server would run without a relay.  guc_relay_databases()
 * raises the error then.
 */
static bool
check_relay_databases(char **value, void **extra, GucSource source)
{
	List *list;

	if (!defined || SplitIdentifierString(pstrdup(*value), ',', &list))
		return true;
	GUC_check_errdetail(LIST_OF_DATABASES);
	return false;
}

List *
guc_relay_databases(void)
{
	List *list;

	if (!SplitIdentifierString(pstrdup(relay_databases), ',', &list))
		ereport(FATAL,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for parameter \"%s\": \"%s\"",
						"ordcancel.relay_databases", relay_databases),
				 errdetail(LIST_OF_DATABASES)));
	return list;
}

void
guc_init(void)
{
	DefineCustomStringVariable(
		"ordcancel.actor",
		"Sets who acts, for calls that name no actor and for plain writes.",
		"When empty, the name of the role. At most 255 characters.", &actor,
		"", PGC_USERSET, 0, check_actor, NULL, NULL);
	DefineCustomBoolVariable(
		"ordcancel.allow_truncate",
		"Lets TRUNCATE of an order table empty its records too, instead of refusing it.",
		"For test databases.", &guc_allow_truncate, false, PGC_SUSET,
		GUC_NOT_IN_SAMPLE, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"ordcancel.cached_tables",
		"Sets how many order tables a session remembers.",
		"Each takes about 100 kB, with its record tables. A call for another one costs as much as in a new session.",
		&guc_cached_tables, 100, 1, 1000000, PGC_USERSET, 0, NULL, NULL, NULL);
	/* Superusers only, because grace periods depend on it. */
	DefineCustomStringVariable(
		"ordcancel.clock",
		"Sets the time that cancellations are decided by and recorded with, for tests and replays.",
		"One point in time. When empty, the real time.", &clock_setting, "",
		PGC_SUSET, GUC_NOT_IN_SAMPLE, check_clock, NULL, NULL);
	DefineCustomIntVariable(
		"ordcancel.node_id",
		"Sets the number of this database among those whose records are read together.",
		"It is in the ids of cancellations and events. It can be raised, but not lowered.",
		&guc_node_id, 0, 0, NODE_ID_MAX, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable(
		"ordcancel.note",
		"Sets the note of cancellations that plain writes make.",
		"At most 2000 characters.", &note, "", PGC_USERSET, 0, check_note,
		NULL, NULL);
	DefineCustomEnumVariable(
		"ordcancel.notify", "Sets when events are announced by NOTIFY.",
		"commit: in the transaction; relay: by a background worker after the commit; off: never.",
		&guc_notify, NOTIFY_COMMIT, notify_modes, PGC_SUSET, 0, NULL, NULL,
		NULL);
	/* For everyone, because it can only restrict what the role may do. */
	DefineCustomStringVariable(
		"ordcancel.party",
		"Sets the party for which a role acts that may act as the merchant.",
		"customer or merchant. When empty, the merchant if the role may execute cancel_order.",
		&party, "", PGC_USERSET, 0, check_party, NULL, NULL);
	DefineCustomStringVariable(
		"ordcancel.reason",
		"Sets the reason of cancellations that plain writes make.",
		"A code of ordcancel.reason, at most 100 characters.", &reason, "",
		PGC_USERSET, 0, check_reason, NULL, NULL);
	/* Only the postmaster uses it, but every backend must know the setting. */
	DefineCustomStringVariable(
		"ordcancel.relay_databases",
		"Lists the databases in which a background worker announces events.",
		"Names separated by commas. Needs shared_preload_libraries = 'ordcancel', and a restart.",
		&relay_databases, "",
		process_shared_preload_libraries_in_progress ? PGC_POSTMASTER :
													   PGC_SIGHUP,
		0, check_relay_databases, NULL, NULL);
	MarkGUCPrefixReserved("ordcancel");
	defined = true;
}

static char *
copy_if_set(const char *value)
{
	return value && value[0] ? pstrdup(value) : NULL;
}

char *
guc_actor(void)
{
	return copy_if_set(actor);
}

char *
guc_reason(void)
{
	return copy_if_set(reason);
}

char *
guc_note(void)
{
	return copy_if_set(note);
}

const char *
guc_party(void)
{
	if (!is_party(party))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for parameter \"%s\": \"%s\"",
						"ordcancel.party", party),
				 errdetail(PARTIES)));
	return party[0] ? party : NULL;
}

TimestampTz
guc_now(void)
{
	if (clock_setting && clock_setting[0])
		return parse_clock(clock_setting);
	return GetCurrentTimestamp();
}

TimestampTz
guc_statement_now(void)
{
	if (clock_setting && clock_setting[0])
		return parse_clock(clock_setting);
	return GetCurrentStatementStartTimestamp();
}
