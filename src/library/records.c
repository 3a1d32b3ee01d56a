/* SPDX-License-Identifier: MIT */
/* Streams of records, and cleaning up what has gone. */
#include "library/records.h"

#include "base/path.h"
#include "library/lookup.h"
#include "library/tables.h"
#include "schema/media_fb.h"

void library_media_all(const struct library_snap *sn, uint64_t from, struct media_cursor *out)
{
	*out = (struct media_cursor){ .sn = sn, .next = from };
}

bool media_cursor_next(struct media_cursor *c, struct fb_table *out)
{
	enum err e;
	do {
		uint64_t id = c->next;
		e = c->next > DB_ID_MAX
			    ? ERR_NOTFOUND
			    : db_row_from(snap_db(c->sn), TABLE_MEDIA, c->next, &id, out);
		c->next = id + (e != ERR_NOTFOUND);
		c->damaged_n += e != ERR_NOTFOUND && e != ERR_OK;
	} while (e != ERR_NOTFOUND && e != ERR_OK);
	return e == ERR_OK;
}

size_t library_media_by_paths(const struct library_snap *sn, const struct span *paths, size_t n,
			      struct fb_table *out)
{
	size_t found_n = 0;
	for (size_t i = 0; i < n; i++) {
		out[i] = (struct fb_table){ 0 };
		found_n += library_media_by_path(sn, paths[i], &out[i]) == ERR_OK;
	}
	return found_n;
}

/* ---- cleaning up ----------------------------------------------------------------------------- */

static bool is_in(struct span path, struct span root)
{
	return root.n == 0 || (path.n > root.n && path.p[root.n] == '/' && span_starts(path, root));
}

struct cleanup {
	struct span root;
	bool (*is_gone)(void *ctx, struct fb_table media);
	void *ctx;
	uint64_t from;
	struct cleanup_result *result;
};

/* Removals of the next files, as many as a batch holds. ERR_NOTFOUND: there are no more files. */
static enum err gather(struct cleanup *c, const struct library_snap *sn, struct batch *b)
{
	struct media_cursor all;
	struct fb_table media;
	library_media_all(sn, c->from, &all);
	while (media_cursor_next(&all, &media)) {
		if (is_in(media_file_path(media), c->root)) {
			c->result->looked_at_n++;
			enum err e = c->is_gone(c->ctx, media)
					     ? batch_remove(b, media_file_path(media))
					     : ERR_OK;
			if (e == ERR_LIMIT && batch_len(b) > 0) {
				c->result->looked_at_n--; /* again in the next batch */
				return ERR_OK;
			}
			if (e != ERR_OK)
				return e;
		}
		c->from = all.next;
	}
	return ERR_NOTFOUND;
}

enum err library_cleanup_missing(struct library *lib, struct span root,
				 bool (*is_gone)(void *ctx, struct fb_table media), void *ctx,
				 struct cleanup_result *out)
{
	while (root.n && root.p[root.n - 1] == '/')
		root.n--;
	*out = (struct cleanup_result){ 0 };
	if (root.n && !path_is_sound(root))
		return ERR_INVALID;
	struct cleanup c = { .root = root, .is_gone = is_gone, .ctx = ctx, .result = out };
	bool more = true;
	enum err e = ERR_OK;
	while (more && e == ERR_OK) {
		struct batch *b;
		struct batch_result r;
		e = batch_new(&b);
		if (e != ERR_OK)
			return e;
		struct library_snap *sn = library_snap_begin(lib);
		e = gather(&c, sn, b);
		library_snap_end(sn);
		more = e == ERR_OK;
		if ((e != ERR_OK && e != ERR_NOTFOUND) || batch_len(b) == 0) {
			batch_free(b);
			continue;
		}
		e = library_submit_wait(lib, b, &r);
		if (e == ERR_OK)
			out->removed_n += r.removed_n;
	}
	return e == ERR_NOTFOUND ? ERR_OK : e;
}
