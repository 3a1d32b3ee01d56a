/* SPDX-License-Identifier: MIT */
/* Reading a playlist file, finding what it names, storing what is new. */
#include "scanner/playlist_import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/utf8.h"
#include "scanner/playlist_file.h"
#include "scanner/playlist_place.h"
#include "scanner/scanner_priv.h"

#define PIECE_ENTRIES 1000u /* of a playlist, in one batch */

/* One file at work. */
struct import {
	struct scanner *s;
	struct arena arena;
	char *bytes;
	struct playlist_file file;
	struct playlist_ref *refs;
	uint32_t refs_n, found_n;
	struct playlist_import_row {
		bool known;
		bool same_entries, same_row;
	} stored;
	struct playlist_import out;
};

static void import_fini(struct import *im)
{
	arena_fini(&im->arena);
	free(im->bytes);
}

static void say_failed(struct scanner *s, struct span path, const char *why)
{
	counter_add(&s->counters.failed_n, 1);
	log_warn(LOG_SCAN, "cannot read the playlist %s: %s", QUOTE(path), why);
}

/* ---- the file -------------------------------------------------------------------------------- */

/* Nothing but a regular file: a FIFO would be waited for. */
static enum err open_regular(int dir_fd, const char *name, int *out_fd, struct stat *out_st)
{
	CLEANUP(fd_closep)
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_from_errno(errno);
	if (fstat(fd, out_st) != 0)
		return err_from_errno(errno);
	if (!S_ISREG(out_st->st_mode))
		return ERR_NOTFOUND;
	*out_fd = fd_take(&fd);
	return ERR_OK;
}

bool playlist_open(struct scanner *s, struct span path, int *out_fd, struct playlist_seen *out)
{
	struct span directory = frame_join(path_directory(path), SPAN(""));
	struct span name = frame_join(path_name(path), SPAN(""));
	CLEANUP(fd_closep) int dir_fd = -1;
	CLEANUP(fd_closep) int fd = -1;
	struct stat st, dir_st;
	bool remote;
	enum err e = directory.p && name.p ? ERR_OK : ERR_NOMEM;

	if (e == ERR_OK) {
		dir_fd = open(directory.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
		e = dir_fd < 0 ? err_from_errno(errno) : open_regular(dir_fd, name.p, &fd, &st);
	}
	if (e == ERR_OK && fstat(dir_fd, &dir_st) != 0)
		e = err_from_errno(errno);
	if (e == ERR_OK) {
		*out = (struct playlist_seen){
			.size = (uint64_t)st.st_size,
			.device = filesystem_id(&s->filesystems, dir_fd, dir_st.st_dev, &remote),
			.inode = st.st_ino,
			.modified = walk_time_ns(st.st_mtim),
		};
		*out_fd = fd_take(&fd);
	} else if (e != ERR_NOTFOUND) { /* it has just gone: nobody needs to know */
		say_failed(s, path, err_name(e));
	}
	free((char *)directory.p);
	free((char *)name.p);
	return e == ERR_OK;
}

/* As long as it was when it was opened: what is appended meanwhile changes its time. */
static enum err read_all(struct import *im, int fd, size_t n)
{
	im->bytes = malloc(n + 1);
	if (!im->bytes)
		return ERR_NOMEM;
	return fd_pread_all(fd, im->bytes, n, 0);
}

/* ---- what it says ---------------------------------------------------------------------------- */

static bool is_there(void *ctx, struct span path)
{
	struct fb_table row;

	return library_media_by_path(ctx, path, &row) == ERR_OK;
}

static void add_ref(struct import *im, struct playlist_places *places,
		    const struct playlist_line *line)
{
	struct playlist_place place;

	if (!playlist_place_find(places, line->location, &im->arena, &place)) {
		im->file.left_out_n++;
		return;
	}
	im->out.source.unsettled |= place.unsettled;
	im->found_n += place.found;
	im->refs[im->refs_n++] = (struct playlist_ref){ .uri = place.uri,
							.title = line->title,
							.duration_ms = line->duration_ms };
}

static enum err find_places(struct import *im, const struct library_snap *sn, struct span path)
{
	struct span roots[SCANNER_ROOTS_MAX];
	struct scanner *s = im->s;
	struct playlist_places places;

	im->refs = calloc(im->file.lines_n + 1, sizeof *im->refs);
	if (!im->refs)
		return ERR_NOMEM;
	for (uint16_t i = 0; i < s->roots_n; i++)
		roots[i] = s->roots[i].path;
	playlist_places_init(&places, path_directory(path), roots, s->roots_n);
	places.encoding = im->file.encoding;
	places.is_there = is_there;
	places.ctx = (void *)sn;
	for (uint32_t i = 0; i < im->file.lines_n; i++)
		add_ref(im, &places, &im->file.lines[i]);
	playlist_places_fini(&places);
	return ERR_OK;
}

static struct span cut(struct span s, size_t max)
{
	size_t n = MIN(s.n, max);

	while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return span_trim(span_first(s, n));
}

/* As it says itself, else as the file is called. */
static enum err set_name(struct import *im, struct span path)
{
	struct span name = cut(im->file.name, PLAYLIST_NAME_MAX);
	struct span stem = sidecar_stem(path_name(path));
	struct buf b;

	if (name.n == 0) {
		buf_init(&b, 3 * PATH_MAX_BYTES);
		char *room = utf8_valid(stem) ? NULL : buf_room(&b, 3 * stem.n);
		if (!room || text_encoding_to_utf8(text_encoding_guess(stem), stem, room,
						   3 * stem.n, &b.n) != ERR_OK)
			utf8_add_clean(&b, stem);
		name = arena_dup(&im->arena, cut(buf_span(&b), PLAYLIST_NAME_MAX));
		buf_fini(&b);
		if (!name.p)
			return ERR_NOMEM;
	}
	im->out.name = name.n > 0 ? name : SPAN("?");
	im->out.description = cut(im->file.description, PLAYLIST_DESCRIPTION_MAX);
	return ERR_OK;
}

/* ---- against what is stored ------------------------------------------------------------------ */

static bool same_item(const struct playlist_item *item, const struct playlist_ref *ref)
{
	struct span title = ref->title.n > 0 ? ref->title : path_name(ref->uri);

	if (item->media.pos)
		return span_eq(media_file_path(item->media), ref->uri);
	return span_eq(playlist_entry_uri(item->entry), ref->uri) &&
	       span_eq(item->title, span_first(title, item->title.n)) &&
	       item->duration_ms == ref->duration_ms;
}

static bool same_entries(const struct library_snap *sn, const struct import *im)
{
	struct playlist_items items;
	struct playlist_item item;
	uint32_t n = 0;

	library_playlist_items(sn, im->out.id, 0, &items);
	while (playlist_items_next(&items, &item))
		if (n == im->refs_n || !same_item(&item, &im->refs[n++]))
			return false;
	return n == im->refs_n && items.damaged_n == 0;
}

static bool same_row(struct fb_table row, const struct playlist_import *out)
{
	const struct playlist_source *source = &out->source;

	return span_eq(playlist_name(row), out->name) &&
	       span_eq(playlist_description(row), out->description) &&
	       span_eq(playlist_path(row), source->path) && playlist_size(row) == source->size &&
	       playlist_modified(row) == source->modified &&
	       playlist_device(row) == source->device && playlist_inode(row) == source->inode &&
	       playlist_unsettled(row) == source->unsettled;
}

static enum err resolve(struct import *im, struct span path)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(im->s->library);
	struct fb_table row;

	if (!sn)
		return ERR_NOMEM;
	if (im->out.id == 0 && library_playlists_n(sn) >= PLAYLISTS_MAX)
		return ERR_LIMIT;
	enum err e = find_places(im, sn, path);
	if (e == ERR_OK)
		e = set_name(im, path);
	if (e != ERR_OK || im->out.id == 0 || library_playlist_get(sn, im->out.id, &row) != ERR_OK)
		return e;
	im->stored.known = true;
	im->stored.same_entries = same_entries(sn, im);
	im->stored.same_row = same_row(row, &im->out);
	return ERR_OK;
}

/* ---- storing --------------------------------------------------------------------------------- */

/* One piece of a playlist that is too long for one operation, waiting for its end. */
static enum err store_piece(struct import *im, struct op_result *op)
{
	struct batch_result result;
	struct batch *b = NULL;
	enum err e = batch_new(&b);

	if (e != ERR_OK)
		return e;
	e = batch_playlist_import(b, &im->out, op);
	if (e != ERR_OK) {
		batch_free(b);
		return e;
	}
	e = library_submit_wait(im->s->library, b, &result);
	return e == ERR_OK ? op->err : e;
}

/* The file's time is that of an unfinished one until the last piece is stored. */
static enum err store_pieces(struct import *im)
{
	int64_t modified = im->out.source.modified;
	struct op_result op = { 0 };
	enum err e = submit_barrier(&im->s->submit);

	for (uint32_t at = 0; at < im->refs_n && e == ERR_OK; at += PIECE_ENTRIES) {
		im->out.entries = &im->refs[at];
		im->out.entries_n = MIN(PIECE_ENTRIES, im->refs_n - at);
		im->out.how = at == 0 ? PLAYLIST_IMPORT_ALL : PLAYLIST_IMPORT_MORE;
		im->out.source.modified =
			at + PIECE_ENTRIES < im->refs_n ? PLAYLIST_UNFINISHED : modified;
		e = store_piece(im, &op);
		im->out.id = op.id;
	}
	return e;
}

static enum err store(struct import *im)
{
	if (im->stored.same_entries && im->stored.same_row)
		return ERR_OK;
	if (!im->stored.same_entries && im->refs_n > PIECE_ENTRIES)
		return store_pieces(im);
	im->out.how = im->stored.same_entries ? PLAYLIST_IMPORT_FILE : PLAYLIST_IMPORT_ALL;
	im->out.entries = im->stored.same_entries ? NULL : im->refs;
	im->out.entries_n = im->stored.same_entries ? 0 : im->refs_n;
	return submit_playlist(&im->s->submit, &im->out);
}

enum err playlist_forget(struct scanner *s, uint64_t id)
{
	struct playlist_import gone = { .id = id, .how = PLAYLIST_IMPORT_GONE };

	return submit_playlist(&s->submit, &gone);
}

/* ---- all ------------------------------------------------------------------------------------- */

static enum err import_opened(struct import *im, struct span path, int fd)
{
	enum playlist_format format = playlist_format_of(path_name(path));
	enum err e = read_all(im, fd, (size_t)im->out.source.size);

	if (e == ERR_OK)
		e = playlist_file_parse(format, span_of(im->bytes, (size_t)im->out.source.size),
					&im->arena, &im->file);
	if (e == ERR_IO || e == ERR_NOTFOUND || e == ERR_LIMIT) {
		say_failed(im->s, path, err_name(e));
		return ERR_OK;
	}
	if (e == ERR_OK && im->file.foreign)
		return im->out.id ? playlist_forget(im->s, im->out.id) : ERR_OK;
	if (e == ERR_OK)
		e = resolve(im, path);
	if (e == ERR_OK)
		e = store(im);
	if (im->file.left_out_n > 0)
		log_warn(LOG_SCAN, "the playlist %s: %u lines name no file and are left out",
			 QUOTE(path), im->file.left_out_n);
	log_debug(LOG_SCAN, "the playlist %s: %u entries, %u of them found", QUOTE(path),
		  im->refs_n, im->found_n);
	return e;
}

enum err playlist_import(struct scanner *s, struct span path, uint64_t id, int fd,
			 const struct playlist_seen *seen)
{
	struct import im = { .s = s };

	if (seen->size > PLAYLIST_FILE_MAX_BYTES) {
		counter_add(&s->counters.failed_n, 1);
		log_warn(LOG_SCAN,
			 "the playlist %s is larger than %u MiB and is not read: is it one?",
			 QUOTE(path), PLAYLIST_FILE_MAX_BYTES >> 20);
		return ERR_OK;
	}
	im.out = (struct playlist_import){ .id = id,
					   .source = { .path = path,
						       .size = seen->size,
						       .device = seen->device,
						       .inode = seen->inode,
						       .modified = seen->modified } };
	if (im.out.source.modified == 0) /* of 1970: else it would follow no file */
		im.out.source.modified = -1;
	arena_init(&im.arena, PLAYLIST_PARSE_MAX_BYTES);
	enum err e = import_opened(&im, path, fd);
	free(im.refs);
	import_fini(&im);
	if (e == ERR_INVALID || e == ERR_LIMIT) {
		say_failed(s, path,
			   e == ERR_LIMIT ? "the library has as many as it can"
					  : "the library does not take it");
		return ERR_OK;
	}
	return e;
}
