/* SPDX-License-Identifier: MIT */
/* Writing playlist files. */
#include "library/playlist_export.h"

#include "base/path.h"
#include "base/url.h"
#include "base/utf8.h"
#include "schema/media_fb.h"

/* Text of one line. */
static void add_text(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_add_char(out, (unsigned char)s.p[i] < ' ' ? ' ' : s.p[i]);
}

static bool is_line(struct span path)
{
	struct span trimmed = span_trim(path);

	return trimmed.n == path.n && utf8_valid(path) && span_find(path, '\n') == path.n &&
	       span_find(path, '\r') == path.n;
}

static void add_file_url(struct span path, struct buf *out)
{
	buf_add_str(out, "file://");
	while (path.n > 0) {
		url_add_encoded(out, span_cut(&path, '/'));
		if (path.n > 0)
			buf_add_char(out, '/');
	}
}

/* Bytes of the directories that both have, with the slash behind them. */
static size_t common_bytes(struct span directory, struct span path)
{
	size_t n = 0, i = 0;

	while (i < directory.n && i < path.n && directory.p[i] == path.p[i]) {
		i++;
		if (directory.p[i - 1] == '/')
			n = i;
	}
	if (i == directory.n && i < path.n && path.p[i] == '/')
		n = i + 1;
	return n;
}

void playlist_export_path(struct span directory, struct span path, struct buf *out)
{
	size_t common = common_bytes(directory, path);
	struct span up = span_skip(directory, common), rest = span_skip(path, common);

	if (!is_line(path) || !is_line(rest)) {
		add_file_url(path, out);
		return;
	}
	/* What begins like a comment, a URL or with a drive is none of these. */
	if (up.n == 0 && (rest.p[0] == '#' || span_find(rest, ':') < rest.n))
		buf_add_str(out, "./");
	while (up.n > 0) {
		buf_add_str(out, "../");
		(void)span_cut(&up, '/');
	}
	buf_add(out, rest);
}

bool playlist_export_is_url(struct span uri)
{
	return uri.n > 0 && uri.p[0] != '/' && !span_starts_nocase(uri, SPAN("file:"));
}

static void add_m3u8(struct buf *out, const struct playlist_item *item, struct span place)
{
	if (item->duration_ms)
		buf_addf(out, "#EXTINF:%u,", (item->duration_ms + 500) / 1000);
	else
		buf_add_str(out, "#EXTINF:-1,");
	add_text(out, item->title);
	buf_add_char(out, '\n');
	buf_add(out, place);
	buf_add_char(out, '\n');
}

static void add_pls(struct buf *out, const struct playlist_item *item, struct span place,
		    uint32_t number)
{
	buf_addf(out, "File%u=", number);
	buf_add(out, place);
	buf_addf(out, "\nTitle%u=", number);
	add_text(out, item->title);
	buf_addf(out, "\nLength%u=%d\n", number,
		 item->duration_ms ? (int)((item->duration_ms + 500) / 1000) : -1);
}

enum err playlist_export(const struct library_snap *sn, uint64_t playlist_id,
			 enum playlist_export_kind kind, playlist_place_writer *place, void *ctx,
			 struct buf *out)
{
	struct playlist_items items;
	struct playlist_item item;
	struct fb_table row;
	struct buf line;
	uint32_t n = 0;
	enum err e = library_playlist_get(sn, playlist_id, &row);

	if (e != ERR_OK)
		return e;
	buf_init(&line, 4 * PATH_MAX_BYTES);
	buf_add_str(out, kind == PLAYLIST_EXPORT_PLS ? "[playlist]\nX-GNOME-Title="
						     : "#EXTM3U\n#PLAYLIST:");
	add_text(out, playlist_name(row));
	buf_add_char(out, '\n');
	library_playlist_items(sn, playlist_id, 0, &items);
	while (buf_err(out) == ERR_OK && playlist_items_next(&items, &item)) {
		buf_clear(&line);
		if (!place(ctx, &item, &line) || buf_err(&line) != ERR_OK)
			continue;
		n++;
		if (kind == PLAYLIST_EXPORT_PLS)
			add_pls(out, &item, buf_span(&line), n);
		else
			add_m3u8(out, &item, buf_span(&line));
	}
	if (kind == PLAYLIST_EXPORT_PLS)
		buf_addf(out, "NumberOfEntries=%u\nVersion=2\n", n);
	buf_fini(&line);
	return buf_err(out);
}
