/* SPDX-License-Identifier: MIT */
/* Playlists for the command line. */
#include "app/playlist_text.h"

#include "base/log.h"
#include "base/num.h"
#include "library/playlist_export.h"
#include "schema/media_fb.h"

static void add_playlist(const struct library_snap *sn, struct fb_table row, struct buf *out)
{
	uint64_t id = playlist_id(row);

	buf_addf(out, "%llu: %s, %llu entries, %llu of them there", (unsigned long long)id,
		 QUOTE(playlist_name(row)), (unsigned long long)library_playlist_entries_n(sn, id),
		 (unsigned long long)library_playlist_present_n(sn, id));
	if (library_playlist_follows_file(row))
		buf_addf(out, ", from %s", QUOTE(playlist_path(row)));
	buf_add_char(out, '\n');
}

static enum err list(const struct library_snap *sn, struct buf *out)
{
	struct playlist_cursor c;
	struct fb_table row;

	library_playlists(sn, 0, &c);
	while (buf_err(out) == ERR_OK && playlist_cursor_next(&c, &row))
		add_playlist(sn, row, out);
	return buf_err(out);
}

static bool add_place(void *ctx, const struct playlist_item *item, struct buf *out)
{
	const struct span *directory = ctx;
	struct span uri =
		item->media.pos ? media_file_path(item->media) : playlist_entry_uri(item->entry);

	if (uri.n > 0 && uri.p[0] == '/')
		playlist_export_path(*directory, uri, out);
	else
		buf_add(out, uri);
	return true;
}

static enum err export(const struct library_snap *sn, struct span what, struct buf *out) {
	uint64_t id; enum err e = num_parse_u64(span_cut(&what, ' '), 1, UINT32_MAX, &id);

	if (e == ERR_OK && (what.n == 0 || what.p[0] != '/')) e = ERR_INVALID;
	return e == ERR_OK ? playlist_export(sn, id, PLAYLIST_EXPORT_M3U8, add_place, &what, out)
			   : e;
}

void playlist_text(struct library *library, struct span what, struct buf *out)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(library);
	enum err e = !sn ? ERR_NOMEM : what.n == 0 ? list(sn, out) : export(sn, what, out);

	if (e == ERR_OK)
		buf_add_str(out, "done\n");
	if (buf_err(out) != ERR_OK)
		buf_clear(out);
	if (e != ERR_OK)
		buf_addf(out, "failed: %s\n",
			 e == ERR_NOTFOUND
				 ? "there is no such playlist; salver playlists lists them"
				 : err_name(e));
}
