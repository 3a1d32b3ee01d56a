/* SPDX-License-Identifier: MIT */
/* A source: four streams of rows over a foreign database, read one after the other. What kind of
 * database it is lies in its ops: how the rows are asked for, and what one row says. */
#pragma once

#include "base/arena.h"
#include "import/sqlite_file.h"
#include "schema/media_fb.h"

struct buf;

struct import_playlist {
	struct span name, description;
	struct span path; /* of the file that it was made from; may be empty */
};

struct import_entry {
	struct span path, title;
	uint32_t duration_ms;
};

struct import_bookmark {
	struct span path;
	uint32_t position_ms, played_n;
};

struct import_source {
	const struct import_source_ops *ops;
	struct sqlite_file *file;
	struct sqlite_cursor items, playlists, entries, bookmarks; /* unopened ones are empty */
	struct arena arena;					   /* texts of the row at hand */
	struct subtitle_in subtitle;				   /* likewise */
	bool entry_ahead; /* `entries` stands on a row of a later playlist */
};

struct import_source_ops {
	const char *name;
	/** Is the database of this kind? By its tables. */
	bool (*fits)(struct sqlite_file *f);
	/** Its schema's version as it says, and whether that is one we know. */
	int64_t (*version)(struct sqlite_file *f, bool *out_known);
	/** Open the cursors that this kind has. Column 0 is the row's key; of `entries` that of its
	 * playlist. All are in ascending order of it. */
	NODISCARD enum err (*open)(struct import_source *s);
	/* What the row says on which the cursor stands. Of a file's place only `path` is set. */
	void (*item)(struct import_source *s, struct media_file_in *out);
	void (*playlist)(struct import_source *s, struct import_playlist *out);
	void (*entry)(struct import_source *s, struct import_entry *out);
	void (*bookmark)(struct import_source *s, struct import_bookmark *out);
};

extern const struct import_source_ops minidlna_source, vuio_source;

NODISCARD enum err import_source_open(const struct import_source_ops *ops, struct sqlite_file *f,
				      struct import_source **out);
void import_source_close(struct import_source *s); /* NULL is fine */
void import_source_closep(struct import_source **s);

/* The next row of a stream. Lifetime of what it gives: until the next call of any of them.
 * Errors of all: ERR_NOTFOUND (no more), those of sqlite_cursor_next(). */
NODISCARD enum err import_next_item(struct import_source *s, struct media_file_in *out);
NODISCARD enum err import_next_playlist(struct import_source *s, struct import_playlist *out);
/** Of the playlist given last. */
NODISCARD enum err import_next_entry(struct import_source *s, struct import_entry *out);
NODISCARD enum err import_next_bookmark(struct import_source *s, struct import_bookmark *out);

/* For the ops. */

#define IMPORT_SQL_MAX_BYTES 8192

/** Open a cursor on what `sql` holds, and empty that. `skip`: see sqlite_cursor_open(). */
NODISCARD enum err import_open_cursor(struct import_source *s, struct buf *sql, const char *skip,
				      struct sqlite_cursor *out);
/** Append ", alias.column" for each, or ", NULL" for those that the table does not have. */
void import_add_columns(struct import_source *s, const char *table, const char *alias,
			const char *const *columns, size_t columns_n, struct buf *sql);
