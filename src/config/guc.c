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
#include "decision/decision.h"

int	 guc_notify = NOTIFY_COMMIT;
bool guc_allow_truncate = false;

static char *actor = NULL;
static char *reason = NULL;
static char *note = NULL;
static char *party = NULL;
static char *clock_setting = NULL;
static char *relay_databases = NULL;

static bool defined = false;

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

/* Words that are another instant each time that they are read. */
static bool
is_relative(char *word)
{
	int value;

	if (DecodeSpecial(0, word, &value) != RESERV)
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
 * One finite instant.  The settings of a database are read where no error may
 * be raised, so it is not parse_clock that is asked.
 */
static bool
clock_is_fine(const char *value)
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
	volatile bool fine = (*value)[0] == '\0';

	/* PostgreSQL 15 raises a time zone that there is not. */
	PG_TRY();
	{
		fine = fine || clock_is_fine(*value);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		FlushErrorState();
	}
	PG_END_TRY();
	if (fine)
		return true;
	GUC_check_errdetail("It is one point in time, or empty.");
	GUC_check_errhint("Write it as in \"2026-03-02 10:00:00+00\".");
	return false;
}

/*
 * How long a text is, without raising anything about it: check hooks may not.
 * Blanks at the ends do not count in notes.
 */
static int
characters(const char *text, bool is_note)
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
 * Who sets it now is told.  What was set before there was anybody to tell, for
 * the database, say, or before this library was loaded, would be dropped with
 * a warning, and something else be done than was asked for: it is kept, and
 * refused where it is used.
 */
static bool
is_being_set(GucSource source)
{
	return defined && source >= PGC_S_CLIENT;
}

/* Refuses what no plain update and no call could use. */
static bool
check_length(const char *value, int longest, bool is_note, GucSource source)
{
	int count = characters(value, is_note);

	if (count <= longest || !is_being_set(source))
		return true;
	GUC_check_errdetail("It has %d characters; %d are allowed.", count,
						longest);
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
	GUC_check_errhint("It is a code of table ordcancel.reason.");
	return false;
}

static bool
check_note(char **value, void **extra, GucSource source)
{
	return check_length(*value, NOTE_MAX_LENGTH, true, source);
}

#define PARTIES \
	"It is \"customer\", \"merchant\", or empty for what the role may be."

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
	if (is_party(*value) || !is_being_set(source))
		return true;
	GUC_check_errdetail(PARTIES);
	return false;
}

#define LIST_OF_DATABASES \
	"It is a list of names of databases, with commas between them."

/*
 * While the setting is being defined a wrong value would only be a warning,
 * and the server would run without a relay; guc_relay_databases raises it.
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
	/* Superusers only: a window is judged by it. */
	DefineCustomStringVariable(
		"ordcancel.clock",
		"Sets the time by which cancellations are judged and recorded, for tests and replays.",
		"One point in time. When empty, the real time.", &clock_setting, "",
		PGC_SUSET, GUC_NOT_IN_SAMPLE, check_clock, NULL, NULL);
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
	/* It takes away what the role may do, and gives nothing. */
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
	/* Only the postmaster acts on it; elsewhere it must not be unknown. */
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
nonempty(const char *value)
{
	return value && value[0] ? pstrdup(value) : NULL;
}

char *
guc_actor(void)
{
	return nonempty(actor);
}

char *
guc_reason(void)
{
	return nonempty(reason);
}

char *
guc_note(void)
{
	return nonempty(note);
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
