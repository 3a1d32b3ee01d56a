/* SPDX-License-Identifier: MIT */
/* Looking for objects below a container: from the narrowest index there is, judged one by one only
 * where the index does not tell. Each object comes once, as it is at home: items with parent their
 * directory, albums below "Albums", and so on. The order is fixed: static containers, artists,
 * albums, genres, years, folders, then audio, video, images, each by title.
 *
 * Questions about texts are answered by the text column (library/text.h) where there is one, and by
 * judging one by one where there is none: the answer is the same. */
#pragma once

#include "library/containers.h"

/* Spellings of one artist, genre or album title that are followed through their indexes. */
#define SEARCH_NAMES_MAX 16
#define SEARCH_SOURCES_MAX (9 + SEARCH_NAMES_MAX + 2)
#define SEARCH_TREE_CACHE 256

enum search_verdict { SEARCH_NO, SEARCH_MAYBE, SEARCH_YES };

/* An object's class is known by its kind: three kinds of items, then the classes of containers. */
#define SEARCH_SHAPE_CONTAINERS 3
#define SEARCH_SHAPES (SEARCH_SHAPE_CONTAINERS + CONTAINER_CLASSES_N)
unsigned search_shape(const struct object *o);

/* ---- texts ----------------------------------------------------------------------------------- */

#define SEARCH_TEXT_MAX 1024 /* bytes of one value that count */
#define SEARCH_VALUES_MAX 16 /* artists, genres of one object */

enum search_field {
	SEARCH_TITLE,
	SEARCH_CREATOR, /* the first artist */
	SEARCH_ARTIST,	/* the artists, then the album artist */
	SEARCH_ALBUM_ARTIST,
	SEARCH_ALBUM,
	SEARCH_GENRE
};
/** Value k of a field, for k = 0, 1, ... until it returns false. Of a container: its title and, as
 * creator and artist, that of an album. Lifetime: that of the object's record. Pure. */
bool search_value(const struct object *o, enum search_field field, unsigned k, struct span *out);

enum search_compare { SEARCH_CONTAINS, SEARCH_EQUALS, SEARCH_BEGINS_WORD };

/** A question, and where to go on when it is false / true: forward, or to an end. */
struct search_step {
	bool is_text; /* about texts: one value of the field is enough. Else only matches() knows.
		       */
	uint8_t field, compare;
	uint8_t next[2];
	struct span want; /* folded by library_fold() */
};
#define SEARCH_STEPS_MAX 64
#define SEARCH_STEP_NO SEARCH_STEPS_MAX
#define SEARCH_STEP_YES (SEARCH_STEPS_MAX + 1)

/** Whether a text question holds. Pure. */
bool search_step_holds(const struct search_step *step, const struct object *o);

/** Criteria as steps. steps_n 0: none are known, matches() says all. */
struct search_steps {
	unsigned n;
	uint8_t first;
	struct search_step step[SEARCH_STEPS_MAX];
	/* by shape, a bit per step: whether the shape alone decides it, and how */
	uint64_t known[SEARCH_SHAPES], holds[SEARCH_SHAPES];
};

/** Whether an object matches steps that all are about texts, or known by shape. Pure. */
bool search_steps_match(const struct search_steps *steps, const struct object *o);

/* ---- what is looked for ---------------------------------------------------------------------- */

/** What is looked for. */
struct search_query {
	/** What is known before a record is read: by object_kind (items), by container_class. */
	enum search_verdict items[OBJECT_IMAGE + 1];
	enum search_verdict containers[CONTAINER_CLASSES_N];
	/** Asked where the verdict is SEARCH_MAYBE. The object has kind, class, title, artist and
	 * media; ids only where needs_ids is set; never counts and art. */
	bool (*matches)(const void *ctx, const struct object *o);
	const void *ctx;
	bool needs_ids;
	/** Every item that matches has an artist or album artist / a genre / an album of this name,
	 * compared by library_fold(). {NULL, 0}: not said. Only to be faster. */
	struct span artist, genre, album;
	/** What matches() does, as far as texts decide it; NULL: not said. Only to be faster. */
	const struct search_steps *steps;
};

enum search_source_kind { SEARCH_FIXED, SEARCH_ROWS, SEARCH_GROUP, SEARCH_TEXT };

struct text_query;

struct search_source {
	enum search_source_kind kind;
	uint8_t table, index;
	enum id_kind child;
	uint32_t group;
	uint64_t n;	  /* of a group */
	bool whole;	  /* everything in the group matches */
	uint8_t section;  /* SEARCH_TEXT: of the column */
	bool certain;	  /* SEARCH_TEXT: all of it is below the container */
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
	uint8_t media_kind;	   /* the scope shows only this kind, in folders too; 0: any */
	uint64_t single_kind_root; /* of that kind */
	int64_t recent_s;	   /* of "Recently Added": the last in its window */
	uint64_t recent_id;
	unsigned sources_n, at;
	struct search_source sources[SEARCH_SOURCES_MAX];
	uint64_t source_at; /* of fixed ones and rows: the next */
	struct db_cursor cursor;
	struct text_query *text; /* NULL: everything is judged */
	struct {
		uint32_t directory;
		bool below;
	} tree[SEARCH_TREE_CACHE];
};

/** Begin; *out is about 9 KiB. `lib`: whose text column may be used, of which `sn` is a snapshot;
 * NULL: none, everything that no other index tells is judged. *query stays the caller's.
 * Errors: ERR_NOTFOUND (no such container), ERR_INVALID (it is an item), ERR_CORRUPT: then there is
 * nothing to end. */
NODISCARD enum err library_search_begin(struct library *lib, const struct library_snap *sn,
					struct span container_id, const struct search_query *query,
					struct search *out);
/** Before the snapshot ends. */
void search_end(struct search *s);
/** The next object that matches; false at the end. Lifetime: until the snapshot ends. */
bool search_next(struct search *s, struct object *out);
/** Pass over up to n of them; returns how many there were. O(log n) where an index tells. */
uint64_t search_skip(struct search *s, uint64_t n);
