/*
 * stable_settings.c — fixes settings that affect input and output of values
 */
#include "postgres.h"

#include "utils/guc.h"

#include "base/stable_settings.h"

/*
 * Most sessions have most of these values already, and reading a setting is
 * much cheaper than setting it.
 */
static void
set_if_different(const char *name, const char *value)
{
	const char *current = GetConfigOption(name, true, false);

	if (current && strcmp(current, value) != 0)
		(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
}

int
stable_settings_begin(const char *time_zone)
{
	int						 nest = NewGUCNestLevel();
	static const char *const settings[][2] = {
		{"DateStyle", "ISO, MDY"},
		{"IntervalStyle", "postgres"},
		{"extra_float_digits", "1"},
		{"bytea_output", "hex"},
		{"array_nulls", "on"},
		{"xmlbinary", "base64"},
		{"xmloption", "content"},
		{"lc_monetary", "C"},
		{"lc_numeric", "C"},
		{"lc_time", "C"},
		{"default_text_search_config", "pg_catalog.simple"},
		{"timezone_abbreviations", "Default"},
		{"standard_conforming_strings", "on"},
		{"transform_null_equals", "off"},
	};

	for (int i = 0; i < lengthof(settings); i++)
		set_if_different(settings[i][0], settings[i][1]);
	set_if_different("TimeZone", time_zone);
	return nest;
}

void
stable_settings_end(int nest)
{
	AtEOXact_GUC(true, nest);
}
