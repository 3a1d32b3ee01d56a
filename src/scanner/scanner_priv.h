/* SPDX-License-Identifier: MIT */
/* The inside of a struct scanner. All of it belongs to the scanner's thread, except what says so.
 */
#pragma once

#include <stdatomic.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/counter.h"
#include "base/filesystem.h"
#include "base/thread.h"
#include "library/submit.h"
#include "probe/probe.h"
#include "scanner/mounts.h"
#include "scanner/moved.h"
#include "scanner/patterns.h"
#include "scanner/plan.h"
#include "scanner/playlist_scan.h"
#include "scanner/record.h"
#include "scanner/report.h"
#include "scanner/scanner.h"
#include "scanner/walk.h"
#include "scanner/watch.h"

#define SCAN_DEPTH_MAX 100 /* directories below a root */
#define SCAN_LINKS_MAX                                                                             \
	3 /* symbolic links to directories on the way: folders that link to each                   \
	   * other have more paths than anybody can walk */
#define SCAN_PATH_MAX_BYTES (64 * 1024)
#define SCAN_MOVED_MAX 4096	/* moves under way before they are waited for */
#define SCAN_PROGRESS_MS 2000	/* between two progress lines */
#define SCAN_POLL_MS 60000	/* least time between two looks at what gives no events */
#define SCAN_POLL_SHARE 20	/* ... and this many times as long as the look took */
#define SCAN_ROOT_POLL_MS 10000 /* between two looks for roots that are away */
#define SCAN_RETRY_MS 60000	/* a scan is repeated this long after a batch failed */
#define SCAN_ROUND_REPEATS 4	/* looks at new events before removals */

/** A media root. */
struct root {
	struct span path;      /* as configured, without a slash at the end */
	struct span canonical; /* resolved; empty while it is away */
	bool gone;	       /* away, but not for want of a permission or by a fault */
	bool away;   /* missing, unreadable, or empty where it was not: nothing is removed */
	bool stored; /* its row has been asked for */
	bool filled; /* seen with something in it, as this directory: */
	dev_t device;
	ino_t inode;
};

/** A directory of the way from a root down to where the walk is. */
struct frame {
	int fd;
	dev_t device;
	ino_t inode;
	struct span path;      /* heap */
	struct span canonical; /* heap, or path */
	uint64_t filesystem;   /* filesystem_id() */
	bool remote;
	bool included;	       /* all media files here are: by a directory on the way, or all are */
	unsigned links_n;      /* symbolic links on the way from the root */
	uint64_t directory_id; /* the store's; 0: not known there */
	struct watch_node *node;
	struct subdirectory {
		struct span name; /* in `names` */
		uint64_t directory_id;
		bool link;
	} * subdirectories;
	char *names;
	size_t subdirectories_n, next;
};

/** A file that the probe has, or is about to get. */
struct job {
	struct job *next;
	struct arena arena;
	int fd;
	uint64_t moved_id;
	bool listed; /* stored by its name already: only facts are news */
	struct record_seen seen;
};

/** Directories in which something is to be removed once everything new is stored. */
struct removals {
	struct removal {
		struct span path; /* below the root; heap */
		uint16_t root;
	} * items;
	size_t n, cap;
};

struct counters { /* any thread reads them */
	struct counter directories_n, found_n, unchanged_n, probed_n, failed_n, moved_n,
		quarantined_n, done_n, expected_n;
	struct counter stored_before, removed_before, failed_before; /* of submit, when it began */
	struct counter started_ms, ended_ms, watches_n;
};

struct report_sink;
struct scanner {
	const struct report_sink *sink; /* NULL: nobody wants to know what is passed over */
	bool retry;			/* what could not be examined is tried again */
	struct library *library;
	struct probe *probe;
	struct watch *watch; /* NULL: no watching */
	struct submit submit;
	struct patterns exclude, include;
	struct buf path; /* of the entry that scan_takes() judges */
	struct root roots[SCANNER_ROOTS_MAX];
	uint16_t roots_n;
	struct thread thread;
	int stop_fd;
	bool watching; /* asked for */
	uint64_t poll_ms, rescan_ms, grace_s;

	struct filesystems filesystems;
	struct mounts mounts; /* of who watches */
	bool mounts_event;    /* some mount has changed; whether one of ours is to be asked */
	struct walk_listing listing; /* of the directory at hand, with its plans: */
	struct plan files, directories;
	struct removals removals;
	struct playlists playlists;
	struct moved moved; /* since the last barrier */
	struct job *jobs_free;
	struct job *jobs_busy; /* sent */
	bool said_limit;       /* of watches */
	bool given_up;	       /* the library takes nothing until it is opened again */
	uint64_t next_line_ms, poll_due_ms, root_poll_due_ms, retry_due_ms, reap_due_ms,
		rescan_due_ms;
	uint64_t breath_ms; /* of the last scan_breathe() */
	uint64_t early_ms;  /* of the last scan_look_early() */
	bool early;	    /* one is under way */
	uint64_t probed_n;  /* when last looked */

	struct counters counters;
	_Atomic bool scanning, refused;
	struct mutex lock;
	struct cond first_scan;
	bool first_scan_done; /* under lock */
	bool ended;	      /* under lock */
};

/* roots.c */
/** Take over the configured roots, without those that lie inside others. */
NODISCARD enum err roots_init(struct scanner *s, const struct scanner_options *options,
			      struct err_info *info);
void roots_fini(struct scanner *s);
/** Open a root; where it is away say so once. */
NODISCARD enum err root_open(struct scanner *s, uint16_t root, int *out_fd);
/** Is this root, as listed, to be believed? False: it is empty and was not; all of it is kept. */
bool root_check(struct scanner *s, uint16_t root, const struct frame *f);
/** See that the library has a row for it. */
NODISCARD enum err root_store(struct scanner *s, uint16_t root);
bool roots_any_away(const struct scanner *s);
/** Remember since when roots are gone, and forget the files of those that have been for too long.
 */
NODISCARD enum err roots_check_grace(struct scanner *s);
/** Remove what the store has of roots that are no longer configured. Before a scan those that
 * overlap with configured ones, after it the others: their files may have been found moved. */
enum roots_when { ROOTS_BEFORE_SCAN, ROOTS_AFTER_SCAN };
NODISCARD enum err roots_prune(struct scanner *s, enum roots_when when);

/* job.c */
/** Read the file of this action of s->files: when the probe is done with it, it is stored; one that
 * is recognised as moved, as that one's new place. A file that cannot be read is counted and said.
 * ERR_CLOSED: stop. */
NODISCARD enum err job_start(struct scanner *s, const struct frame *f, const struct plan_action *a);
/** Store a file of which only the name, the place or what lies beside it has changed: its facts are
 * those of its stored record. */
NODISCARD enum err job_restate(struct scanner *s, const struct frame *f,
			       const struct walk_entry *entry, struct fb_table row,
			       uint64_t moved_id);
/** Take what the probe has finished. ERR_CLOSED: stop. */
NODISCARD enum err jobs_collect(struct scanner *s);
/** Wait until all are stored. */
NODISCARD enum err jobs_finish(struct scanner *s);
void jobs_fini(struct scanner *s);

/* frame.c */
void frame_close(struct frame *f);
/** Open a root into the first frame. ERR_NOTFOUND: it is away. */
NODISCARD enum err frame_open_root(struct scanner *s, uint16_t root, struct frame *out);
/** Open `sub` below the last of `depth` frames into the next. ERR_NOTFOUND: it is not to be visited
 * (gone, unreadable, a loop), and that has been said. */
NODISCARD enum err frame_open_child(struct scanner *s, struct frame *stack, size_t depth,
				    uint16_t root, const struct subdirectory *sub);
/** A new heap copy of `name` below `directory`; {NULL, 0} where there is no memory. */
struct span frame_join(struct span directory, struct span name);

/* report.c */
/** Tell s->sink, if there is one, about this entry of the directory; "": about the directory. */
void scan_note(struct scanner *s, const struct frame *f, struct span name, enum scan_reason reason);
/** ... about the directory that was just read. ERR_CLOSED: nobody wants to know. */
NODISCARD enum err report_directory(struct scanner *s, const struct frame *f);

/* takes.c */
/** The entry's path, in s->path until the next call. False: there is no memory, or it is too long.
 */
bool scan_path(struct scanner *s, const struct frame *f, struct span name);
/** Do the patterns leave this entry of the directory to us? The one answer to that, for walk and
 * watch alike. A path that is too long is not taken. */
bool scan_takes(struct scanner *s, uint16_t root, const struct frame *f, struct span name,
		enum walk_kind kind);
/** Set f->included of a directory that has just been opened; parent NULL: of a root. */
void scan_set_included(const struct scanner *s, uint16_t root, const struct frame *parent,
		       struct frame *f);

/* visit.c */
enum visit_mode {
	VISIT_ALL,     /* and everything below */
	VISIT_NEW,     /* and what is new below */
	VISIT_REPORT,  /* tell s->sink about it and everything below, change nothing */
	VISIT_FILES,   /* only what has come into it */
	VISIT_REMOVALS /* only what has gone from it */
};
/** Look at the directory at `path` below a root, and below it as the mode says.
 * Errors: ERR_CLOSED, ERR_NOMEM, those of the library; trouble with the disk is dealt with here. */
NODISCARD enum err visit_tree(struct scanner *s, uint16_t root, struct span path,
			      enum visit_mode mode);

/* removal.c */
NODISCARD enum err removals_add(struct removals *r, uint16_t root, struct span path);
void removals_clear(struct removals *r);
/** Remove a file that is there, but is no media any more. */
NODISCARD enum err removal_file(struct scanner *s, const struct frame *f, struct span name);
/** Remove what s->files and s->directories say has gone from the directory. */
NODISCARD enum err removal_apply(struct scanner *s, uint16_t root, const struct frame *f);

/* scanner.c */
/** A scanner without a thread. */
NODISCARD enum err scanner_new(const struct scanner_options *options, struct scanner **out,
			       struct err_info *info);
void scanner_freep(struct scanner **s);
/** Wait for the next event, at most until `deadline_ms`, and deal with it. ERR_CLOSED: stop. */
NODISCARD enum err scan_turn(struct scanner *s, uint64_t deadline_ms);
/** The same without waiting: called once per directory and file. */
NODISCARD enum err scan_breathe(struct scanner *s);
/** Between two directories of a scan, which may take hours: store what has come into others
 * meanwhile. They are looked at again afterwards, with all that belongs to it. */
NODISCARD enum err scan_look_early(struct scanner *s);
