/* SPDX-License-Identifier: MIT */
/* Reading settings. */
#include "library/lookup.h"
#include "library/settings.h"
#include "library/tables.h"
#include "schema/media_fb.h"

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

enum err library_setting_get(const struct library_snap *sn, struct span name,
			     struct span *out_value)
{
	struct fb_table row;
	enum err e = setting_find(snap_db(sn), name, &row);
	if (e == ERR_OK)
		*out_value = setting_value(row);
	return e;
}

uint64_t library_settings_n(const struct library_snap *sn)
{
	return db_count(snap_db(sn), TABLE_SETTING, SETTING_NAME, 0);
}

void library_settings(const struct library_snap *sn, struct span from, struct setting_cursor *out)
{
	db_seek_key(&out->cursor, snap_db(sn), TABLE_SETTING, SETTING_NAME, 0, from);
}

bool setting_cursor_next(struct setting_cursor *c, struct fb_table *out)
{
	return row_next(&c->cursor, out);
}
