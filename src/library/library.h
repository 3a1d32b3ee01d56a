/* SPDX-License-Identifier: MIT */
/* The media library: what the store means. Records, containers, listings, and the one writer
 * thread. Readers pin a snapshot and borrow; they never wait. Knows no protocol. */
#pragma once

#include "base/err.h"
#include "base/flatbuffer.h"
#include "base/span.h"
#include "base/write_meter.h"

struct library;

#define LIBRARY_ID_MAX 48      /* an object id with its NUL */
#define LIBRARY_CHANGED_MAX 64 /* containers named in one change */

struct library_change {
	uint64_t commit;
	unsigned containers_n;
	bool overflow;
	char containers[LIBRARY_CHANGED_MAX][LIBRARY_ID_MAX];
};

struct library_options {
	const char *database_dir;
	uint64_t budget_bytes; /* of the store's private memory; 0: 6 MiB */
	bool read_only;
	uint64_t check_at_open_bytes; /* as in struct db_options; 0: default (tests: less) */
	uint32_t linger_ms; /* so long a scan's commit waits for more of it; 0: 50 (tests: more) */
	uint32_t pause_ms;  /* so much longer upkeep and the index for searches wait (tests) */
	/** Called on the writer thread after each published commit, with the object ids of the
	 * containers it changed. More than LIBRARY_CHANGED_MAX: the nearest common ancestors, and
	 * `overflow`. Must return quickly. May be NULL. */
	void (*on_commit)(void *ctx, const struct library_change *change);
	/** Called on the writer thread when the store's work took memory, or gave it back. Must
	 * return quickly. May be NULL. */
	void (*on_memory)(void *ctx, uint64_t bytes);
	void *ctx;
};

NODISCARD enum err library_open(const struct library_options *options, struct library **out,
				struct err_info *info);
/** Finish what is queued, checkpoint, close. All snapshots must have ended, nobody may be waiting
 * in library_submit(). NULL is fine. */
void library_close(struct library *lib);

/** Closing is near: no more batches are taken (ERR_CLOSED), a large removal ends with the commit
 * under way, a check at its next step. library_close() follows. Threads: any. */
void library_hurry(struct library *lib);

/** From now on so much private memory for the store's work. Threads: any. */
void library_memory_set(struct library *lib, uint64_t bytes);

/** The store's uuid, 16 bytes: the UDN is made from it. */
const uint8_t *library_uuid(const struct library *lib);
NODISCARD enum err library_check(struct library *lib, void (*report)(void *ctx, const char *line),
				 void *ctx);

struct library_stats {
	uint64_t commit;
	uint64_t audio_n, video_n, images_n, directories_n, artists_n, albums_n, genres_n;
	uint64_t log_bytes, index_bytes, memory_bytes, memory_peak_bytes;
	uint64_t commits_n, rows_put_n, rows_removed_n, damaged_n;
	uint64_t batches_n, batch_files_n, queue_n;
	/* the index for searches (library/text.h): the commit it shows, 0: there is none */
	uint64_t text_commit, text_bytes, text_builds_n, text_failures_n, text_refused_n;
	uint64_t text_build_ms; /* the last one took */
	uint64_t text_memory_bytes;
	bool upkeep_due; /* merging or compacting is left for when the writer has nothing else to do
			  */
	bool poisoned;
	uint64_t retries_n;
	struct write_figures writes; /* of commits since opening */
};
/** O(1). Threads: any. */
void library_stats_get(struct library *lib, struct library_stats *out);

/* ---- snapshots ----------------------------------------------------------------------------- */

struct library_snap; /* one commit of the library */

struct library_snap *library_snap_begin(struct library *lib);
void library_snap_end(struct library_snap *sn);
void library_snap_endp(struct library_snap **sn); /* for CLEANUP() */
/** The commit number: SystemUpdateID (its low 32 bits). */
uint64_t library_snap_commit(const struct library_snap *sn);
/** A number that is another one whenever an object may be another one. O(tables). */
uint64_t library_generation(const struct library_snap *sn);

/* ---- objects ------------------------------------------------------------------------------- */

enum object_kind { OBJECT_CONTAINER, OBJECT_AUDIO, OBJECT_VIDEO, OBJECT_IMAGE };

enum container_class {
	CONTAINER_FOLDER,   /* object.container.storageFolder */
	CONTAINER_PLAIN,    /* object.container */
	CONTAINER_ARTIST,   /* object.container.person.musicArtist */
	CONTAINER_ALBUM,    /* object.container.album.musicAlbum */
	CONTAINER_GENRE,    /* object.container.genre.musicGenre */
	CONTAINER_PLAYLIST, /* object.container.playlistContainer */
	CONTAINER_CLASSES_N
};

/** One object as it stands in one container. Borrowed from the snapshot, except the ids. */
struct object {
	enum object_kind kind;
	char id[LIBRARY_ID_MAX];
	char parent_id[LIBRARY_ID_MAX];
	char ref_id[LIBRARY_ID_MAX]; /* "" where this is the object's home */
	struct span title;

	/* containers */
	enum container_class container_class;
	uint32_t child_count;  /* what a listing of it would give as total */
	uint32_t update_id;    /* commit of its last change */
	struct span artist;    /* albums: for display; else empty */
	uint64_t art_media_id; /* a file whose art stands for it (an album); 0: none */

	/* items */
	uint64_t media_id;
	struct fb_table media; /* MediaFile: media_file_*() accessors of schema/media_fb.h */
};

/** The object with this id (an object id as given out, or an alias that TVs send), as seen in its
 * parent: the same bytes as its entry in the parent's listing. O(log n).
 * Errors: ERR_NOTFOUND, ERR_CORRUPT. */
NODISCARD enum err library_object_get(const struct library_snap *sn, struct span object_id,
				      struct object *out);
/** A media file by its number (URLs). */
NODISCARD enum err library_media_get(const struct library_snap *sn, uint64_t media_id,
				     struct fb_table *out);
NODISCARD enum err library_media_by_path(const struct library_snap *sn, struct span path,
					 struct fb_table *out);

/* ---- listings: the one way to page through anything ---------------------------------------- */

#define LISTING_SEGMENTS_MAX 4
#define LISTING_RECENT_MAX 1000 /* of what was added last, for each kind of media */

/** The children of one container: static containers, then sub-containers, then items. Caller's
 * memory; nothing to free. Defined in library/listing.h. */
struct listing;

/** Items of a category may be narrowed to audio/video/image where the store has an index for it.
 * Errors: ERR_NOTFOUND (no such object), ERR_INVALID (it is an item), ERR_CORRUPT. O(log n). */
NODISCARD enum err library_list(const struct library_snap *sn, struct span container_id,
				struct listing *out);
/** Go to the child at `offset`; beyond the end the listing is exhausted. O(log n). */
void listing_seek(struct listing *li, uint64_t offset);
/** The next child; false at the end. A child whose record is damaged is skipped and counted.
 * Lifetime: until the snapshot ends. */
bool listing_next(struct listing *li, struct object *out);

/* ---- what the scanner compares against ----------------------------------------------------- */

/** A known directory by absolute path; ERR_NOTFOUND. *out_id is its number. */
NODISCARD enum err library_directory_find(const struct library_snap *sn, struct span path,
					  uint64_t *out_id);
/** Does the library know a file or a directory in the one at this path? */
bool library_directory_holds(const struct library_snap *sn, struct span path);

/** Files of one directory / directories below one directory, in the order of library_collate_key()
 * of their names, ties in order of id. Defined in library/listing.h. */
struct directory_cursor;
void library_directory_files(const struct library_snap *sn, uint64_t directory_id,
			     struct directory_cursor *out);
/** Next file: its MediaFile. */
bool directory_cursor_file(struct directory_cursor *c, struct fb_table *out);
void library_directory_subdirs(const struct library_snap *sn, uint64_t directory_id,
			       struct directory_cursor *out);
/** Next sub-directory: its Directory row (live ones only). */
bool directory_cursor_subdir(struct directory_cursor *c, struct fb_table *out);

#define COLLATE_KEY_MAX 512
/** The natural sort key: case and accents folded, runs of digits as numbers, bytewise comparable.
 * Returns its length (at most COLLATE_KEY_MAX; longer names are cut); what is behind it in `out`
 * may be written to as well. Pure. */
size_t library_collate_key(struct span name, uint8_t out[COLLATE_KEY_MAX]);
/** The same folding of case, accents and forms, but digits stay as they are: two texts are equal,
 * or one contains the other, where that is so of what this gives. Texts that fold to the same have
 * the same sort key. Returns the length (at most max; twice the text's always suffices); `out` up
 * to max may be written to. Pure. */
size_t library_fold(struct span text, char *out, size_t max);

/** A file by file system id and inode, for recognising moves; ERR_NOTFOUND. */
NODISCARD enum err library_media_by_inode(const struct library_snap *sn, uint64_t device,
					  uint64_t inode, struct fb_table *out);

/* ---- writing ------------------------------------------------------------------------------- */

/** A group of changes that becomes one commit (or, where it is large, several whole ones). Built by
 * one thread, then handed to the writer. Its memory is bounded: LIBRARY_BATCH_MAX_FILES. */
struct batch;
#define LIBRARY_BATCH_MAX_FILES 4096
#define LIBRARY_BATCH_MAX_BYTES (8u << 20)

NODISCARD enum err batch_new(struct batch **out);
void batch_free(struct batch *b); /* NULL is fine */
size_t batch_len(const struct batch *b);

/** A media root: gets a directory row with `name` as its title. Idempotent. */
NODISCARD enum err batch_root(struct batch *b, struct span path, struct span name);
/** Store a file: new, or changed, found by its path. Everything is copied. `file` is the schema's
 * input struct; id, directory_id, *_id(s), created_at, updated_at are the library's to fill.
 * Directories on the way from its root are made. Errors: ERR_LIMIT (submit first), ERR_NOMEM. */
struct media_file_in;
NODISCARD enum err batch_put(struct batch *b, const struct media_file_in *file);
/** The file with this media id is now at file->path (same bytes, id kept). */
NODISCARD enum err batch_move(struct batch *b, uint64_t media_id, const struct media_file_in *file);
NODISCARD enum err batch_remove(struct batch *b, struct span path);
/** Everything in and below this directory. Large trees are removed over several commits. */
NODISCARD enum err batch_remove_tree(struct batch *b, struct span path);

/** `taken` runs on the writer thread, with the context of `done` and before it, when the memory of
 * what the batch held is free again; that says nothing of whether it will be stored. Set before
 * library_submit(). */
void batch_on_taken(struct batch *b, void (*taken)(void *ctx));

struct batch_result {
	enum err err;	 /* of the commit */
	uint64_t commit; /* its number */
	uint32_t put_n, removed_n, failed_n;
};

/** What became of one operation of a batch, where its caller asks: filled in on the writer thread
 * before `done` runs, so it must live until then. */
#define OP_FAILED_MAX 32
struct op_result {
	enum err err;			/* of the operation; its commit's where that failed */
	uint64_t id;			/* of what was made or changed */
	uint32_t done_n, failed_n;	/* parts of it (entries) */
	uint32_t failed[OP_FAILED_MAX]; /* which: the first ones, as numbers in its input */
};

/** Give the batch to the writer thread, which frees it; waits while LIBRARY_QUEUE_MAX batches of a
 * scan, or LIBRARY_URGENT_MAX urgent ones, are queued. `done` (may be NULL) runs on the writer
 * thread once it is durable and visible, or failed. BATCH_SCAN: shares a commit with those that
 * follow, so that it may take a second; _END: somebody waits, so that the commit does not wait for
 * more. _URGENT: a commit of its own at once, before those that wait. Errors: ERR_CLOSED (batch not
 * taken). Threads: any. */
#define LIBRARY_QUEUE_MAX 4
#define LIBRARY_URGENT_MAX 128 /* more than HTTP requests may wait for: none of them waits here */
enum batch_urgency { BATCH_SCAN, BATCH_SCAN_END, BATCH_URGENT };
NODISCARD enum err library_submit(struct library *lib, struct batch *b, enum batch_urgency urgency,
				  void (*done)(void *ctx, const struct batch_result *r), void *ctx);
/** Somebody waits for batches of a scan that were given before. Threads: any. */
void library_flush(struct library *lib);
/** A scan has ended, and all it gave is committed: merging, the checkpoint and the index for
 * searches are done now, not after a pause. A change that comes all the same waits for one step
 * of them at most. Costs nothing where nothing changed. Threads: any. */
void library_scan_ended(struct library *lib);
/** The same as urgent, waiting for the result; the batch is taken whatever becomes of it. Never on
 * an HTTP thread. */
NODISCARD enum err library_submit_wait(struct library *lib, struct batch *b,
				       struct batch_result *out);
