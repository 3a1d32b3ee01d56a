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

enum op_kind { OP_ROOT, OP_PUT, OP_MOVE, OP_REMOVE, OP_REMOVE_TREE };

struct op {
	enum op_kind kind;
	struct span path;	    /* ROOT, REMOVE, REMOVE_TREE */
	struct span name;	    /* ROOT */
	uint64_t media_id;	    /* MOVE */
	struct media_file_in *file; /* PUT, MOVE */
};

struct batch {
	struct arena arena;
	struct op *ops;
	uint32_t ops_n, ops_cap;

	/* while queued: the writer's */
	struct batch *next;
	void (*done)(void *ctx, const struct batch_result *r);
	void *done_ctx;
	struct batch_result result;
};

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
