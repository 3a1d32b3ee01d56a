/* SPDX-License-Identifier: MIT */
/* Reading settings. */
#include "library/lookup.h"
#include "library/settings.h"
#include "library/tables.h"
#include "schema/media_fb.h"

#define SETTING_BEHIND "library/" /* behind all names that begin with SETTING_RESERVED */

enum err setting_find(const struct db_snap *sn, struct span name, struct fb_table *out)
{
	struct db_cursor c;
	struct fb_table row;
	db_seek_key(&c, sn, TABLE_SETTING, SETTING_NAME, 0, name);
	if (!row_next(&c, &row) || !span_eq(setting_name(row), name))
		return ERR_NOTFOUND;
	*out = row;
	return ERR_OK;
}

bool setting_is_reserved(struct span name)
{
	return span_starts(name, SPAN(SETTING_RESERVED));
}

enum err library_setting_get(const struct library_snap *sn, struct span name,
			     struct span *out_value)
{
	struct fb_table row;
	enum err e =
		setting_is_reserved(name) ? ERR_NOTFOUND : setting_find(snap_db(sn), name, &row);
	if (e == ERR_OK)
		*out_value = setting_value(row);
	return e;
}

uint64_t library_settings_n(const struct library_snap *sn)
{
	struct db_cursor first, behind;
	db_seek_key(&first, snap_db(sn), TABLE_SETTING, SETTING_NAME, 0, SPAN(SETTING_RESERVED));
	db_seek_key(&behind, snap_db(sn), TABLE_SETTING, SETTING_NAME, 0, SPAN(SETTING_BEHIND));
	return db_count(snap_db(sn), TABLE_SETTING, SETTING_NAME, 0) -
	       (db_cursor_offset(&behind) - db_cursor_offset(&first));
}

void library_settings(const struct library_snap *sn, struct span from, struct setting_cursor *out)
{
	db_seek_key(&out->cursor, snap_db(sn), TABLE_SETTING, SETTING_NAME, 0, from);
}

bool setting_cursor_next(struct setting_cursor *c, struct fb_table *out)
{
	while (row_next(&c->cursor, out))
		if (!setting_is_reserved(setting_name(*out)))
			return true;
	return false;
}
