/* SPDX-License-Identifier: MIT */
/* Settings that belong to the library and not to the configuration file: name to JSON text. */
#pragma once

#include "db/db.h"
#include "library/library.h"

#define SETTINGS_MAX 1000
#define SETTING_NAME_MAX 64	      /* bytes; ASCII letters, digits and . _ - */
#define SETTING_VALUE_MAX (64u << 10) /* bytes */

/* Names that begin so are the library's own: nobody else sees, sets or removes them. */
#define SETTING_RESERVED "library."
bool setting_is_reserved(struct span name);

/** The JSON text; ERR_NOTFOUND, ERR_CORRUPT. Lifetime: until the snapshot ends. */
NODISCARD enum err library_setting_get(const struct library_snap *sn, struct span name,
				       struct span *out_value);

/** All in order of their names. Caller's memory; nothing to free. */
struct setting_cursor {
	struct db_cursor cursor;
};
uint64_t library_settings_n(const struct library_snap *sn);
/** From the first name >= `from` on: with "page." those of the page come first. */
void library_settings(const struct library_snap *sn, struct span from, struct setting_cursor *out);
/** The next Setting row; false at the end. */
bool setting_cursor_next(struct setting_cursor *c, struct fb_table *out);

/** Errors: ERR_INVALID (a bad or reserved name, or the value is not JSON), ERR_LIMIT (a value too
 * long, or the batch is full), ERR_NOMEM. out->err: ERR_LIMIT (SETTINGS_MAX). The last change in a
 * batch counts.
 */
NODISCARD enum err batch_setting_set(struct batch *b, struct span name, struct span value,
				     struct op_result *out);
/** out->err: ERR_NOTFOUND (there was none). */
NODISCARD enum err batch_setting_remove(struct batch *b, struct span name, struct op_result *out);
