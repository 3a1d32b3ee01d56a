/* SPDX-License-Identifier: MIT */
/* Playlists: lists of files and URLs in an order that people make.
 *
 * An entry means a file by its media id, so it stays with the file when that is renamed or moved.
 * When the file goes, the entry stays, with the path, title and duration that were last known; when
 * a file comes to that path, the entry means that one. Ids of playlists and entries are stable and
 * never used again. Containers ("P", "pl7") show only the entries that can be played. */
#pragma once

#include "db/db.h"
#include "library/library.h"

#define PLAYLISTS_MAX 10000
#define PLAYLIST_ENTRIES_MAX 100000   /* of one playlist */
#define PLAYLIST_OP_ENTRIES_MAX 4096  /* in one operation */
#define PLAYLIST_NAME_MAX 255	      /* bytes */
#define PLAYLIST_DESCRIPTION_MAX 4096 /* bytes */

/* ---- reading --------------------------------------------------------------------------------- */

/** How many playlists there are. O(log n). */
uint64_t library_playlists_n(const struct library_snap *sn);

/** The playlists in natural order of their names. Caller's memory; nothing to free. */
struct playlist_cursor {
	struct db_cursor cursor;
};
void library_playlists(const struct library_snap *sn, uint64_t offset, struct playlist_cursor *out);
/** The next one: its Playlist row; false at the end. Lifetime: until the snapshot ends. */
bool playlist_cursor_next(struct playlist_cursor *c, struct fb_table *out);

/** Errors: ERR_NOTFOUND, ERR_CORRUPT. Lifetime: until the snapshot ends. */
NODISCARD enum err library_playlist_get(const struct library_snap *sn, uint64_t playlist_id,
					struct fb_table *out);
/** The one that was imported from this file; ERR_NOTFOUND. */
NODISCARD enum err library_playlist_by_path(const struct library_snap *sn, struct span path,
					    struct fb_table *out);

/** All entries / those whose file is in the library now. O(log n); 0 for an unknown playlist. */
uint64_t library_playlist_entries_n(const struct library_snap *sn, uint64_t playlist_id);
uint64_t library_playlist_present_n(const struct library_snap *sn, uint64_t playlist_id);
/** Of all entries, as far as it is known. Reads every entry: O(entries). */
uint64_t library_playlist_duration_ms(const struct library_snap *sn, uint64_t playlist_id);

/** An entry as it is shown. Lifetime: until the snapshot ends. */
struct playlist_item {
	uint64_t entry_id;
	uint32_t position;     /* from 0 */
	struct fb_table entry; /* PlaylistEntry */
	struct fb_table media; /* MediaFile; pos 0: no such file now */
	struct span title;     /* of the file where it is there, else as last known */
	uint32_t duration_ms;  /* likewise */
};

/** The entries in order, from position `offset` on. Caller's memory; nothing to free. */
struct playlist_items {
	struct db_cursor cursor;
	uint64_t damaged_n; /* skipped because they cannot be read */
};
void library_playlist_items(const struct library_snap *sn, uint64_t playlist_id, uint64_t offset,
			    struct playlist_items *out);
bool playlist_items_next(struct playlist_items *items, struct playlist_item *out);

/* ---- changing: operations of a batch --------------------------------------------------------- */

/* A playlist that was read from a playlist file follows it: it is changed by changing the file. The
 * operations of people on it fail with ERR_ACCESS; a copy of it, made with batch_playlist_create(),
 * is free. */
bool library_playlist_follows_file(struct fb_table playlist);

/* The functions below copy what they are given and add one operation to the batch. `out` may be
 * NULL; else it says what became of the operation once the batch is done, also where that failed
 * (ERR_NOTFOUND: no such playlist; ERR_LIMIT: PLAYLISTS_MAX, PLAYLIST_ENTRIES_MAX). Operations are
 * done in their order; two on one playlist are two commits, each whole or not at all.
 * Errors of the functions: ERR_INVALID (no name, a bad path), ERR_LIMIT (the batch is full, or a
 * limit above), ERR_NOMEM; the batch is then as it was. */

/** What an entry is to mean. */
struct playlist_ref {
	uint64_t media_id; /* a file of the library; an unknown one fails */
	/* or, where that is 0: an absolute path, of a file that is in the library or may come, or a
	 * URL ("http://..."): */
	struct span uri;
	struct span title;    /* for as long as there is no file; may be empty */
	uint32_t duration_ms; /* likewise */
};

/** The playlist file that a playlist follows. */
struct playlist_source {
	struct span path;
	uint64_t size, device, inode;
	int64_t modified; /* nanoseconds since 1970, not 0; 1: not all of it is stored yet */
	bool unsettled;	  /* with other files in the library it would have other entries */
};
#define PLAYLIST_UNFINISHED 1 /* as the time of a file that has not been stored whole */

struct playlist_new {
	struct span name;
	struct span description; /* may be empty */
	struct span path;	 /* of the file it comes from; may be empty */
	const struct playlist_ref *entries;
	uint32_t entries_n;
};
/** out->id: the new playlist's. Names need not be unique. */
NODISCARD enum err batch_playlist_create(struct batch *b, const struct playlist_new *playlist,
					 struct op_result *out);
/** A new name, a new description, or both; NULL leaves it. */
NODISCARD enum err batch_playlist_edit(struct batch *b, uint64_t playlist_id,
				       const struct span *name, const struct span *description,
				       struct op_result *out);
/** With all its entries. */
NODISCARD enum err batch_playlist_delete(struct batch *b, uint64_t playlist_id,
					 struct op_result *out);

#define PLAYLIST_END UINT32_MAX /* behind the last entry */
/** Put entries in before position `at`. out->failed: which of `entries` name no file. */
NODISCARD enum err batch_playlist_add(struct batch *b, uint64_t playlist_id, uint32_t at,
				      const struct playlist_ref *entries, uint32_t entries_n,
				      struct op_result *out);
/** These entries instead of all that there were (more follow by batch_playlist_add()). */
NODISCARD enum err batch_playlist_replace(struct batch *b, uint64_t playlist_id,
					  const struct playlist_ref *entries, uint32_t entries_n,
					  struct op_result *out);
/** out->failed: which of `entry_ids` are none of this playlist. */
NODISCARD enum err batch_playlist_remove(struct batch *b, uint64_t playlist_id,
					 const uint64_t *entry_ids, uint32_t entry_ids_n,
					 struct op_result *out);
/** Entries go, in the order given, to before what is at position `at` now. Ids stay. */
NODISCARD enum err batch_playlist_move(struct batch *b, uint64_t playlist_id, uint32_t at,
				       const uint64_t *entry_ids, uint32_t entry_ids_n,
				       struct op_result *out);

/** What a playlist file says, for the scanner. */
struct playlist_import {
	uint64_t id; /* 0: a new playlist */
	enum playlist_import_how {
		PLAYLIST_IMPORT_ALL,  /* these entries instead of all that there were; what is in
				       * both  keeps its entry id, up to PLAYLIST_OP_ENTRIES_MAX of
				       * them */
		PLAYLIST_IMPORT_MORE, /* these entries behind those that are there */
		PLAYLIST_IMPORT_FILE, /* the entries stay */
		PLAYLIST_IMPORT_GONE  /* the file has gone, and so does the playlist */
	} how;
	struct span name, description;
	struct playlist_source source;
	const struct playlist_ref *entries;
	uint32_t entries_n;
};
/** out->id: the playlist's. More entries than one operation takes come in pieces, all but the last
 * of which say PLAYLIST_UNFINISHED, so that what was interrupted is seen to have changed. */
NODISCARD enum err batch_playlist_import(struct batch *b, const struct playlist_import *import,
					 struct op_result *out);
