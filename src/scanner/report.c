/* SPDX-License-Identifier: MIT */
/* A walk that stores nothing and tells what a scan passes over. */
#include "scanner/report.h"

#include <sys/stat.h>

#include "base/fd.h"
#include "library/library.h"
#include "scanner/scanner_priv.h"
#include "schema/probe_fb.h"

const struct scan_reason_text scan_reasons[REASONS_N] = {
	[REASON_HIDDEN] = { "hidden", "its name begins with a dot" },
	[REASON_EXCLUDED] = { "excluded", "scanner.exclude says so" },
	[REASON_NOT_INCLUDED] = { "notIncluded", "no pattern of scanner.include matches it" },
	[REASON_OTHER_TYPE] = { "otherType", "not a type of media by its name, or without an "
					     "extension by its first "
					     "bytes" },
	[REASON_SPECIAL] = { "special", "a FIFO, a socket or a device" },
	[REASON_EMPTY] = { "empty", "has no bytes" },
	[REASON_DEAD_LINK] = { "deadLink", "a symbolic link to nowhere" },
	[REASON_UNREADABLE] = { "unreadable", "may not or cannot be read" },
	[REASON_NOMEDIA] = { "nomedia", "a directory with a file .nomedia" },
	[REASON_TOO_MANY] = { "tooMany",
			      "a directory with too many entries: the rest is not seen" },
	[REASON_TOO_DEEP] = { "tooDeep", "too many directories deep: what is below is not seen" },
	[REASON_LINK_LOOP] = { "linkLoop", "leads back to a directory above it" },
	[REASON_TOO_MANY_LINKS] = { "tooManyLinks", "behind too many links to directories" },
	[REASON_ROOT_AWAY] = { "rootAway",
			       "a media root that is not there: what is known is kept" },
	[REASON_PENDING] = { "pending", "new or changed, not examined yet" },
	[REASON_NOT_MEDIA] = { "notMedia", "served by its name: holds no media that we know" },
	[REASON_BROKEN] = { "broken", "served by its name: damaged or incomplete" },
	[REASON_TIMEOUT] = { "timeout", "served by its name: took too long to examine; quarantined "
					"until it changes" },
	[REASON_CRASHED] = { "crashed", "served by its name: crashed what examined it; quarantined "
					"until it changes" },
	[REASON_TOO_LARGE] = { "tooLarge", "served by its name: holds more than is read" },
	[REASON_UNAVAILABLE] = { "unavailable", "served by its name: what reads it is missing or "
						"does not work" },
};

static enum scan_reason reason_of_probe(unsigned status)
{
	switch (status) {
	case PROBE_STATUS_NOT_MEDIA:
		return REASON_NOT_MEDIA;
	case PROBE_STATUS_TIMEOUT:
		return REASON_TIMEOUT;
	case PROBE_STATUS_CRASHED:
		return REASON_CRASHED;
	case PROBE_STATUS_TOO_LARGE:
		return REASON_TOO_LARGE;
	case PROBE_STATUS_UNREADABLE:
		return REASON_UNREADABLE;
	case PROBE_STATUS_UNAVAILABLE:
		return REASON_UNAVAILABLE;
	default:
		return REASON_BROKEN;
	}
}

void scan_note(struct scanner *s, const struct frame *f, struct span name, enum scan_reason reason)
{
	if (!s->sink)
		return;
	if (name.n > 0 && scan_path(s, f, name))
		s->sink->entry(s->sink->ctx, buf_span(&s->path), reason);
	else if (name.n == 0)
		s->sink->entry(s->sink->ctx, f->path, reason);
}

/* What the library has of a file that a scan takes. */
static void judge_file(struct scanner *s, const struct library_snap *sn, const struct frame *f,
		       const struct walk_entry *e)
{
	struct fb_table row;

	if (e->leave) {
		scan_note(s, f, e->name, REASON_UNREADABLE);
		return;
	}
	if (!scan_path(s, f, e->name))
		return;
	if (library_media_by_path(sn, buf_span(&s->path), &row) == ERR_OK &&
	    media_file_size(row) == e->size && media_file_modified(row) == e->mtime_ns) {
		unsigned status = media_file_probe_error(row);

		if (status != PROBE_STATUS_OK)
			scan_note(s, f, e->name, reason_of_probe(status));
		return;
	}
	CLEANUP(fd_closep) int fd = -1;
	struct stat st;
	enum err err = walk_open_file(f->fd, e, &fd, &st);
	enum scan_reason reason =
		err == ERR_OK || err == ERR_NOTFOUND ? REASON_PENDING : REASON_UNREADABLE;
	if (err == ERR_OK && e->nameless && !walk_type_of(fd))
		reason = REASON_OTHER_TYPE;
	scan_note(s, f, e->name, reason);
}

enum err report_directory(struct scanner *s, const struct frame *f)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(s->library);
	const struct walk_listing *l = &s->listing;

	if (!sn)
		return ERR_NOMEM;
	if (!s->sink->go_on(s->sink->ctx))
		return ERR_CLOSED;
	if (l->nomedia)
		scan_note(s, f, SPAN(""), REASON_NOMEDIA);
	if (l->too_many)
		scan_note(s, f, SPAN(""), REASON_TOO_MANY);
	else if (l->partial)
		scan_note(s, f, SPAN(""), REASON_UNREADABLE);
	for (size_t i = 0; i < l->files.n; i++)
		judge_file(s, sn, f, &l->files.items[i]);
	return ERR_OK;
}

enum err scanner_report(const struct scanner_options *options, const struct report_sink *sink,
			struct err_info *info)
{
	CLEANUP(scanner_freep) struct scanner *s = NULL;
	enum err e = scanner_new(options, &s, info);

	if (e != ERR_OK)
		return e;
	s->sink = sink;
	for (uint16_t i = 0; i < s->roots_n && e == ERR_OK; i++) {
		e = visit_tree(s, i, SPAN(""), VISIT_REPORT);
		if (e == ERR_OK && s->roots[i].away)
			sink->entry(sink->ctx, s->roots[i].path, REASON_ROOT_AWAY);
	}
	return e == ERR_OK ? e : err_set(info, e, 0, "the report is not whole: %s", err_name(e));
}
