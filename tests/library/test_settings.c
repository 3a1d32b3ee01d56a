/* SPDX-License-Identifier: MIT */
/* Settings: name to JSON text. */
#include <stdlib.h>

#include "library/lookup.h"
#include "library/settings.h"
#include "library/tables.h"
#include "library/upgrade.h"
#include "shelf.h"

static struct op_result set(struct shelf *s, const char *name, const char *value)
{
	struct op_result r;
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_setting_set(b, span_str(name), span_str(value), &r));
	shelf_submit(s, b);
	return r;
}

static struct op_result unset(struct shelf *s, const char *name)
{
	struct op_result r;
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_setting_remove(b, span_str(name), &r));
	shelf_submit(s, b);
	return r;
}

static void expect_setting(struct shelf *s, const char *name, const char *value)
{
	struct library_snap *sn = library_snap_begin(s->lib);
	struct span got = { NULL, 0 };
	EXPECT_ERR(value ? ERR_OK : ERR_NOTFOUND, library_setting_get(sn, span_str(name), &got));
	if (value)
		EXPECT_SPAN(span_str(value), got);
	library_snap_end(sn);
}

TEST(settings, are_kept_changed_and_removed_also_over_a_restart)
{
	struct shelf s;
	shelf_init(&s);
	EXPECT_OK(set(&s, "page.theme", "\"dark\"").err);
	EXPECT_OK(set(&s, "page.size", "50").err);
	EXPECT_OK(set(&s, "page.size", "{\"n\":[1,2]}").err);
	EXPECT_OK(set(&s, "a", "null").err);
	shelf_reopen(&s);
	expect_setting(&s, "page.theme", "\"dark\"");
	expect_setting(&s, "page.size", "{\"n\":[1,2]}");
	expect_setting(&s, "page", NULL);
	expect_setting(&s, "page.size2", NULL);
	EXPECT_OK(unset(&s, "page.theme").err);
	EXPECT_ERR(ERR_NOTFOUND, unset(&s, "page.theme").err);
	expect_setting(&s, "page.theme", NULL);
	shelf_fini(&s);
}

TEST(settings, of_one_batch_the_last_change_counts)
{
	struct shelf s;
	struct op_result r[5];
	shelf_init(&s);
	set(&s, "old", "1");
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_setting_set(b, SPAN("x"), SPAN("1"), &r[0]));
	EXPECT_OK(batch_setting_remove(b, SPAN("x"), &r[1]));
	EXPECT_OK(batch_setting_remove(b, SPAN("x"), &r[2]));
	EXPECT_OK(batch_setting_remove(b, SPAN("old"), &r[3]));
	EXPECT_OK(batch_setting_set(b, SPAN("old"), SPAN("2"), &r[4]));
	shelf_submit(&s, b);
	EXPECT_OK(r[0].err);
	EXPECT_OK(r[1].err);
	EXPECT_ERR(ERR_NOTFOUND, r[2].err);
	EXPECT_OK(r[3].err);
	EXPECT_OK(r[4].err);
	expect_setting(&s, "x", NULL);
	expect_setting(&s, "old", "2");
	shelf_fini(&s);
}

TEST(settings, are_listed_by_name_from_any_name_on)
{
	struct shelf s;
	struct setting_cursor c;
	struct fb_table row;
	shelf_init(&s);
	set(&s, "b.2", "2");
	set(&s, "b.1", "1");
	set(&s, "a", "0");
	set(&s, "c", "3");
	struct library_snap *sn = library_snap_begin(s.lib);
	EXPECT_U64(4, library_settings_n(sn));
	library_settings(sn, SPAN("b."), &c);
	static const char *const want[] = { "b.1", "b.2", "c" };
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		EXPECT(setting_cursor_next(&c, &row));
		EXPECT_SPAN(span_str(want[i]), setting_name(row));
	}
	EXPECT(!setting_cursor_next(&c, &row));
	library_snap_end(sn);
	shelf_fini(&s);
}

/* What the library keeps for itself is nobody's to see or to change. */
TEST(settings, that_are_the_librarys_own_are_hidden_and_safe)
{
	struct shelf s;
	struct setting_cursor c;
	struct fb_table row;
	struct db *db = NULL;
	struct db_options options = { .tables = library_tables, .tables_n = TABLES_N };
	shelf_init(&s);
	set(&s, "librarian", "1");
	set(&s, "library", "2");
	set(&s, "librarys", "3");
	shelf_fini(&s);
	options.dir = s.dir;
	EXPECT_OK(db_open(&options, &db, NULL));
	EXPECT_OK(upgrade_request(db)); /* sets one */
	struct library_snap *sn = (struct library_snap *)db_snap_begin(db);
	EXPECT_U64(4, db_rows(snap_db(sn), TABLE_SETTING));
	EXPECT_U64(3, library_settings_n(sn));
	static const char *const want[] = { "librarian", "library", "librarys" };
	library_settings(sn, SPAN(""), &c);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		EXPECT(setting_cursor_next(&c, &row));
		EXPECT_SPAN(span_str(want[i]), setting_name(row));
	}
	EXPECT(!setting_cursor_next(&c, &row));
	struct span value;
	EXPECT_ERR(ERR_NOTFOUND, library_setting_get(sn, SPAN("library.upgrade"), &value));
	library_snap_end(sn);
	db_close(db);

	struct batch *b = shelf_batch();
	EXPECT_ERR(ERR_INVALID, batch_setting_set(b, SPAN("library.upgrade"), SPAN("1"), NULL));
	EXPECT_ERR(ERR_INVALID, batch_setting_set(b, SPAN("library."), SPAN("1"), NULL));
	EXPECT_ERR(ERR_INVALID, batch_setting_remove(b, SPAN("library.upgrade"), NULL));
	batch_free(b);
}

TEST(settings, have_limits_with_names)
{
	struct shelf s;
	char name[SETTING_NAME_MAX + 2];
	shelf_init(&s);
	struct batch *b = shelf_batch();
	memset(name, 'n', sizeof name);
	EXPECT_ERR(ERR_INVALID,
		   batch_setting_set(b, span_of(name, SETTING_NAME_MAX + 1), SPAN("1"), NULL));
	EXPECT_ERR(ERR_INVALID, batch_setting_set(b, SPAN(""), SPAN("1"), NULL));
	EXPECT_ERR(ERR_INVALID, batch_setting_set(b, SPAN("a b"), SPAN("1"), NULL));
	EXPECT_ERR(ERR_INVALID, batch_setting_set(b, SPAN("a"), SPAN("{"), NULL));
	char *value = malloc(SETTING_VALUE_MAX + 1);
	memset(value, '1', SETTING_VALUE_MAX + 1);
	EXPECT_ERR(ERR_LIMIT,
		   batch_setting_set(b, SPAN("a"), span_of(value, SETTING_VALUE_MAX + 1), NULL));
	EXPECT_OK(batch_setting_set(b, span_of(name, SETTING_NAME_MAX),
				    span_of(value, SETTING_VALUE_MAX), NULL));
	free(value);
	struct op_result r[SETTINGS_MAX];
	for (unsigned i = 0; i < SETTINGS_MAX; i++) {
		snprintf(name, sizeof name, "s%u", i);
		EXPECT_OK(batch_setting_set(b, span_str(name), SPAN("true"), &r[i]));
	}
	shelf_submit(&s, b);
	EXPECT_OK(r[SETTINGS_MAX - 2].err);
	EXPECT_ERR(ERR_LIMIT, r[SETTINGS_MAX - 1].err);
	shelf_fini(&s);
}
