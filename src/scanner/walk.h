/* SPDX-License-Identifier: MIT */
/* Reading one directory: which entries are media, which belong to them, which are directories.
 * Everything is opened below a directory already open; nothing but regular files is ever opened. */
#pragma once

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "library/sidecar.h"
#include "scanner/report.h"

#define WALK_ENTRIES_MAX 1000000u /* of one directory; the rest is not seen */
#define WALK_LOOKS_MAX 64u /* files without extension that are opened for whose cover it is */
#define WALK_NAMES_MAX_BYTES ((size_t)512 << 20)

/** One file that may be media, or one directory. Names and keys end with the listing. */
struct walk_entry {
	struct span name;
	struct span key; /* library_collate_key() of the name */
	uint64_t size;
	int64_t mtime_ns;
	dev_t device;
	ino_t inode;
	uint64_t known_id;   /* set by plan_make(): the store's id; 0: not known there */
	uint8_t media_class; /* by the name: enum media_class */
	bool nameless;	     /* no extension: only its content can say what it is */
	bool link;	     /* a symbolic link */
	bool leave;	     /* cannot be examined now: what is known of it stays as it is */
};

struct walk_entries {
	struct walk_entry *items;
	size_t n, cap;
};

struct walk_listing {
	struct walk_entries files, directories; /* sorted by key, then name */
	struct walk_entries playlists;		/* playlist files; in no order, without keys */
	struct sidecars sides;
	struct arena arena;
	bool nomedia;  /* the directory says that it holds no media: everything else is empty */
	bool partial;  /* reading failed, or there was too much: what is missing may be there */
	bool too_many; /* ... because of WALK_ENTRIES_MAX */
	bool empty;    /* not one visible entry of any kind */
};

void walk_listing_init(struct walk_listing *l);
void walk_listing_fini(struct walk_listing *l);

enum walk_kind {
	WALK_DIRECTORY,
	WALK_FILE, /* of any kind; `name` may have a directory in front ("Subs/x.srt") */
	WALK_MEDIA /* the same again, where it is a media file */
};

/** Is this a file's name without any extension (no dot in it)? */
bool walk_is_nameless(struct span name);
/** May a file of this name be media? */
bool walk_may_be_media(struct span name);

/** Read the directory `fd` (left open, its position moves). `passed_over` is told what is no media
 * file, no directory and nothing that belongs to one, and why; `busy` says whether a file is being
 * written right now, `takes` whether an entry is to be seen at all; each may be NULL. Errors:
 * ERR_NOMEM; what the disk refuses shows in the listing. */
struct walk_source {
	int fd;
	bool (*busy)(void *ctx, struct span name);
	bool (*takes)(void *ctx, struct span name, enum walk_kind kind);
	void (*passed_over)(void *ctx, struct span name, enum scan_reason reason);
	void *ctx;
};
NODISCARD enum err walk_read(const struct walk_source *source, struct walk_listing *out);

/** Open a directory by a name that walk_read() gave. ERR_NOTFOUND, ERR_ACCESS, ... */
NODISCARD enum err walk_open_directory(int fd, struct span name, bool link, int *out_fd);
/** Open a file for reading; ERR_NOTFOUND also where it is no regular file any more, or empty. */
struct stat;
NODISCARD enum err walk_open_file(int fd, const struct walk_entry *entry, int *out_fd,
				  struct stat *out_st);

/** What the first bytes of an open file say that it is; NULL: no media. Reads one block. */
struct media_type;
const struct media_type *walk_type_of(int fd);
/** The same for an entry. ERR_UNSUPPORTED: no media; the errors of walk_open_file(). */
NODISCARD enum err walk_look(int fd, const struct walk_entry *entry, const struct media_type **out);

static inline int64_t walk_time_ns(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
