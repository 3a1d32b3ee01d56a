/* SPDX-License-Identifier: MIT */
/* A batch's inside: a list of operations in the order in which they were added. */
#pragma once

#include "base/arena.h"
#include "base/path.h"
#include "library/library.h"
#include "schema/media_fb.h"

#define MEDIA_PATH_MAX PATH_MAX_BYTES
#define MEDIA_TEXT_MAX 1024 /* bytes of a name or tag; longer ones are cut */
#define MEDIA_PARTS_MAX 64  /* subtitles, audio tracks of one file */

enum op_kind {
	OP_ROOT,
	OP_PUT,
	OP_MOVE,
	OP_REMOVE,
	OP_REMOVE_TREE,
	/* from here on: apply_lists.h */
	OP_PLAYLIST_CREATE,
	OP_PLAYLIST_EDIT,
	OP_PLAYLIST_DELETE,
	OP_PLAYLIST_ADD,
	OP_PLAYLIST_REPLACE,
	OP_PLAYLIST_REMOVE,
	OP_PLAYLIST_MOVE,
	OP_BOOKMARK_SET,
	OP_BOOKMARK_REMOVE,
	OP_SETTING_SET,
	OP_SETTING_REMOVE
};

struct op {
	enum op_kind kind;
	struct span path;	  /* ROOT, REMOVE, REMOVE_TREE */
	struct span name;	  /* ROOT */
	uint64_t media_id;	  /* MOVE */
	const uint64_t *file;	  /* PUT, MOVE: file_unpack() */
	const void *args;	  /* PLAYLIST_*, BOOKMARK_*, SETTING_*: see batch_lists.c */
	struct op_result *result; /* the caller's; NULL: nobody asks */
};

struct batch {
	struct arena arena;
	struct op *ops;
	uint32_t ops_n, ops_cap;
	uint32_t committed_n;	   /* operations that need not be done again where a commit fails */
	struct media_file_in last; /* what neighbours have in common is kept once */

	/* while queued: the writer's */
	struct batch *next;
	void (*done)(void *ctx, const struct batch_result *r);
	void *done_ctx;
	struct batch_result result;
};

/** Add an operation to the end. ERR_LIMIT: the batch is full. */
NODISCARD enum err batch_add_op(struct batch *b, struct op op);
/** Make *s a copy in the batch's memory; an empty one becomes {NULL, 0}. */
NODISCARD enum err batch_copy(struct batch *b, struct span *s);
/** Why the arena had no room for n bytes: the batch is full, or memory has run out. */
enum err batch_no_room(const struct batch *b, size_t n);

/** The file of an operation. Most fields of most files are not set: batches keep those that are. */
void file_unpack(const uint64_t *packed, struct media_file_in *out);

/* The fields of a MediaFile that come from the disk and the file itself. What the library fills in
 * (ids, times) is in no list; title, artist and genre are brought to a normal form of their own. */
#define MEDIA_TEXTS(X)                                                                             \
	X(mime_type)                                                                               \
	X(album)                                                                                   \
	X(album_artist)                                                                            \
	X(composer)                                                                                \
	X(container)                                                                               \
	X(audio_codec)                                                                             \
	X(video_codec)                                                                             \
	X(video_profile)                                                                           \
	X(camera)
#define MEDIA_PATHS(X)                                                                             \
	X(path)                                                                                    \
	X(canonical_path)                                                                          \
	X(filename)                                                                                \
	X(art_path)
#define MEDIA_NUMBERS(X)                                                                           \
	X(size)                                                                                    \
	X(modified)                                                                                \
	X(duration_ms)                                                                             \
	X(track)                                                                                   \
	X(year)                                                                                    \
	X(disc)                                                                                    \
	X(bitrate)                                                                                 \
	X(sample_rate)                                                                             \
	X(channels)                                                                                \
	X(bits_per_sample)                                                                         \
	X(width)                                                                                   \
	X(height)                                                                                  \
	X(video_level)                                                                             \
	X(frame_rate_milli)                                                                        \
	X(date_taken)                                                                              \
	X(orientation)                                                                             \
	X(art_embedded)                                                                            \
	X(device)                                                                                  \
	X(inode)                                                                                   \
	X(kind)                                                                                    \
	X(compilation)                                                                             \
	X(probe_error)

/** Whether the stored record says what `in` says (ids and times apart). */
bool media_same(struct fb_table stored, const struct media_file_in *in);
