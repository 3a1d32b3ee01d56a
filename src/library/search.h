/* SPDX-License-Identifier: MIT */
/* Looking for objects below a container: from the narrowest index there is, judged one by one only
 * where the index does not tell. Each object comes once, as it is at home: items with parent their
 * directory, albums below "Albums", and so on. The order is fixed: static containers, artists,
 * albums, genres, years, folders, then audio, video, images.
 *
 * Caller's memory (about 8 KiB), nothing to free, no allocation. */
#pragma once

#include "library/containers.h"

/* Spellings of one artist, genre or album title that are followed through their indexes. */
#define SEARCH_NAMES_MAX 16
#define SEARCH_SOURCES_MAX (6 + SEARCH_NAMES_MAX + 2)
#define SEARCH_TREE_CACHE 256

enum search_verdict { SEARCH_NO, SEARCH_MAYBE, SEARCH_YES };

/** What is looked for. */
struct search_query {
	/** What is known before a record is read: by object_kind (items), by container_class. */
	enum search_verdict items[OBJECT_IMAGE + 1];
	enum search_verdict containers[CONTAINER_GENRE + 1];
	/** Asked where the verdict is SEARCH_MAYBE. The object has kind, class, title, artist and
	 * media; ids only where needs_ids is set; never counts and art. */
	bool (*matches)(const void *ctx, const struct object *o);
	const void *ctx;
	bool needs_ids;
	/** Every item that matches has an artist or album artist / a genre / an album of this name,
	 * compared by library_fold(). {NULL, 0}: not said. Only to be faster. */
	struct span artist, genre, album;
};

enum search_source_kind { SEARCH_FIXED, SEARCH_ROWS, SEARCH_GROUP };

struct search_source {
	enum search_source_kind kind;
	uint8_t table, index;
	enum id_kind child;
	uint32_t group;
	uint64_t n;	  /* of a group */
	bool whole;	  /* everything in the group matches */
	bool overlapping; /* with the groups of the sources before it */
};

struct search {
	uint32_t update_id; /* of the container */
	uint64_t damaged_n; /* skipped so far because their records cannot be read */

	/* the rest is search.c's own */
	const struct db_snap *sn;
	struct search_query query;
	struct object_id scope;
	uint32_t scope_group; /* its term, album or directory */
	uint64_t single_root;
	unsigned sources_n, at;
	struct search_source sources[SEARCH_SOURCES_MAX];
	uint64_t source_at; /* of fixed ones and rows: the next */
	struct db_cursor cursor;
	struct {
		uint32_t directory;
		bool below;
	} tree[SEARCH_TREE_CACHE];
};

/** Errors: ERR_NOTFOUND (no such container), ERR_INVALID (it is an item), ERR_CORRUPT. */
NODISCARD enum err library_search_begin(const struct library_snap *sn, struct span container_id,
					const struct search_query *query, struct search *out);
/** The next object that matches; false at the end. Lifetime: until the snapshot ends. */
bool search_next(struct search *s, struct object *out);
/** Pass over up to n of them; returns how many there were. O(log n) where an index tells. */
uint64_t search_skip(struct search *s, uint64_t n);
