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
	OP_PLAYLIST_IMPORT,
	OP_BOOKMARK_SET,
	OP_BOOKMARK_REMOVE,
	OP_SETTING_SET,
	OP_SETTING_REMOVE
};

struct op {
	enum op_kind kind;
	struct op_result *result; /* the caller's; NULL: nobody asks */
	union {
		const void *args; /* PLAYLIST_*, BOOKMARK_*, SETTING_*: see batch_lists.c */
		struct {
			struct span path;
			union {
				struct span name; /* ROOT */
				struct {	  /* PUT, MOVE */
					const struct batch_file *file;
					uint64_t media_id; /* MOVE */
				};
			};
		};
	};
};

struct batch {
	struct arena arena;
	struct op *ops;
	uint32_t ops_n, ops_cap;
	uint32_t committed_n; /* operations that need not be done again where a commit fails */
	const struct batch_file *last; /* what neighbours have in common is kept once */

	/* while queued: the writer's */
	struct batch *next;
	bool urgent;
	bool is_empty; /* batch_empty() */
	bool stored;   /* whole */
	void (*taken)(void *ctx);
	void (*done)(void *ctx, const struct batch_result *r);
	void *done_ctx;
	struct batch_result result;
	struct batch_result kept; /* of the first committed_n operations */
};

/** Nobody looks at its operations any more: their memory goes, their number stays. */
void batch_empty(struct batch *b);

/** Add an operation to the end. ERR_LIMIT: the batch is full. */
NODISCARD enum err batch_add_op(struct batch *b, const struct op *op);
/** Make *s a copy in the batch's memory; an empty one becomes {NULL, 0}. */
NODISCARD enum err batch_copy(struct batch *b, struct span *s);
/** Why the arena had no room for n bytes: the batch is full, or memory has run out. */
enum err batch_no_room(const struct batch *b, size_t n);

/* The fields of a MediaFile that come from the disk and the file itself. What the library fills in
 * (ids, times) is in no list; title, artist and genre are brought to a normal form of their own.
 * Numbers go by size, so that a struct of them has no holes. */
#define MEDIA_TEXTS(X)                                                                             \
	X(mime_type)                                                                               \
	X(album)                                                                                   \
	X(album_artist)                                                                            \
	X(composer)                                                                                \
	X(container)                                                                               \
	X(audio_codec)                                                                             \
	X(video_codec)                                                                             \
	X(video_profile)                                                                           \
	X(audio_profile)                                                                           \
	X(camera)
#define MEDIA_PATHS(X)                                                                             \
	X(path)                                                                                    \
	X(canonical_path)                                                                          \
	X(filename)                                                                                \
	X(art_path)
#define MEDIA_NUMBERS(X)                                                                           \
	X(size)                                                                                    \
	X(modified)                                                                                \
	X(date_taken)                                                                              \
	X(device)                                                                                  \
	X(inode)                                                                                   \
	X(duration_ms)                                                                             \
	X(bitrate)                                                                                 \
	X(sample_rate)                                                                             \
	X(width)                                                                                   \
	X(height)                                                                                  \
	X(frame_rate_milli)                                                                        \
	X(track)                                                                                   \
	X(year)                                                                                    \
	X(disc)                                                                                    \
	X(channels)                                                                                \
	X(bits_per_sample)                                                                         \
	X(video_level)                                                                             \
	X(orientation)                                                                             \
	X(art_embedded)                                                                            \
	X(kind)                                                                                    \
	X(compilation)                                                                             \
	X(mpeg_stream)                                                                             \
	X(video_scan)                                                                              \
	X(probe_error)

struct batch_text { /* in the batch's memory */
	uint16_t n;
	char p[];
};

static inline struct span batch_text_span(const struct batch_text *t)
{
	return span_of(t->p, t->n);
}

/* Texts that a file mostly has from the file before: theirs is the same struct. */
enum batch_shared {
#define X(field) SHARED_##field,
	X(artist) X(genre) MEDIA_TEXTS(X) X(art_path)
#undef X
		SHARED_N
};

struct batch_texts {
	const struct batch_text *text[SHARED_N];
};

/* What few files have. */
struct batch_more {
	struct span canonical_path;
	const struct subtitle_in *subtitles;
	const struct stream_in *audio_tracks;
	const struct span *artists, *genres;
	uint32_t subtitles_n, audio_tracks_n, artists_n, genres_n;
};

/* A file as a batch keeps it: 4,096 of struct media_file_in, most of whose fields are not set,
 * would be 2.5 MB. */
struct batch_file {
	const struct batch_texts *texts;
	const struct batch_text *path, *title;
	const struct batch_text *directory; /* a path in it: of neighbours the same one */
	const struct batch_more *more;	    /* NULL: the canonical path is the path, no lists */
	uint32_t name_at;		    /* in the path */
#define X(field) __typeof__(((struct media_file_in *)0)->field) field;
	MEDIA_NUMBERS(X)
#undef X
};

/** Trimmed, and cut to MEDIA_TEXT_MAX where a character begins. */
struct span batch_text_normal(struct span s);
/** The file's normal form, checked and copied into the batch. Errors: ERR_INVALID, ERR_LIMIT. */
NODISCARD enum err file_pack(struct batch *b, const struct media_file_in *file,
			     const struct batch_file **out);
/** The file again; borrows from the batch. `last`: the file that *out holds, or NULL; what they
 * have in common stays, and so does what the library fills in. */
void file_unpack(const struct batch_file *file, const struct batch_file *last,
		 struct media_file_in *out);

/** Whether the stored record says what `in` says (ids and times apart). */
bool media_same(struct fb_table stored, const struct media_file_in *in);
