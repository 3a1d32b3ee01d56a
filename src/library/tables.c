/* SPDX-License-Identifier: MIT */
/* What the store is told about each table: how rows are written, verified and taken apart. */
#include <assert.h>
#include <xxhash.h>

#include "base/num.h"
#include "db/emit.h"
#include "library/bookmarks.h"
#include "library/library.h"
#include "library/settings.h"
#include "library/tables.h"
#include "schema/media_fb.h"

/* ---- hashes ---------------------------------------------------------------------------------- */

uint64_t directory_hash(struct span path)
{
	return XXH3_64bits(path.p, path.n);
}

uint64_t file_hash(uint64_t directory_hash, struct span name)
{
	return XXH3_64bits_withSeed(name.p, name.n, directory_hash);
}

uint64_t term_hash(uint8_t kind, struct span name)
{
	return XXH3_64bits_withSeed(name.p, name.n, kind);
}

uint64_t album_hash(uint32_t artist_id, uint64_t directory_id, struct span title)
{
	uint64_t owner = artist_id ? artist_id : directory_id | 1ull << 63;
	return XXH3_64bits_withSeed(title.p, title.n, owner);
}

uint64_t entry_uri_hash(struct span uri)
{
	return XXH3_64bits(uri.p, uri.n);
}

/* Neighbouring inodes share a group: one directory's files stay together. */
uint32_t inode_group(uint64_t device, uint64_t inode)
{
	uint64_t block = inode >> 12;
	return (uint32_t)XXH3_64bits_withSeed(&block, sizeof block, device);
}

static void put_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put_be32(uint8_t *p, uint32_t v)
{
	put_be16(p, (uint16_t)(v >> 16));
	put_be16(p + 2, (uint16_t)v);
}

void key_be64(uint64_t v, uint8_t out[8])
{
	put_be32(out, (uint32_t)(v >> 32));
	put_be32(out + 4, (uint32_t)v);
}

void inode_key(uint64_t inode, uint8_t out[4])
{
	put_be32(out, (uint32_t)inode);
}

/* ---- extractors ------------------------------------------------------------------------------ */

unsigned term_ids_add(uint32_t ids[MEDIA_TERMS_MAX], unsigned n, uint32_t id)
{
	for (unsigned i = 0; i < n; i++)
		if (ids[i] == id)
			return n;
	if (id && n < MEDIA_TERMS_MAX)
		ids[n++] = id;
	return n;
}

unsigned media_term_ids(struct fb_table media, uint32_t out[MEDIA_TERMS_MAX])
{
	unsigned n = 0;
	struct fb_vector artists = media_file_artist_ids(media);
	for (uint32_t i = 0; i < artists.n; i++)
		n = term_ids_add(out, n, fb_vector_u32(artists, i));
	struct fb_vector genres = media_file_genre_ids(media);
	for (uint32_t i = 0; i < genres.n; i++)
		n = term_ids_add(out, n, fb_vector_u32(genres, i));
	n = term_ids_add(out, n, media_file_album_artist_id(media));
	n = term_ids_add(out, n, media_file_composer_id(media));
	return term_ids_add(out, n, media_file_year_id(media));
}

/* The files of the kind that most are of come and go without the row being stored again. */
uint64_t directory_files_of_kind(struct fb_table directory, uint8_t kind, uint64_t files_n)
{
	const uint32_t counted_n[] = { 0, directory_audio_n(directory),
				       directory_videos_n(directory),
				       directory_images_n(directory) };
	static_assert(MEDIA_KIND_IMAGE + 1 == ARRAY_LEN(counted_n), "one for each kind");
	if (kind >= ARRAY_LEN(counted_n) || kind != directory_most_kind(directory))
		return kind < ARRAY_LEN(counted_n) ? counted_n[kind] : 0;
	uint64_t others_n = 0;
	for (uint8_t k = MEDIA_KIND_AUDIO; k <= MEDIA_KIND_IMAGE; k++)
		others_n += k == kind ? 0 : counted_n[k];
	return files_n > others_n ? files_n - others_n : 0;
}

/* ---- months ---------------------------------------------------------------------------------- */

#define MONTHS_FROM 0x100u /* below are MediaKinds */
#define DAY_S 86400

uint32_t month_group(uint32_t year, uint32_t month)
{
	return MONTHS_FROM + (year - MONTH_YEAR_MIN) * 16 + month;
}

void month_of_group(uint32_t group, uint32_t *out_year, uint32_t *out_month)
{
	*out_year = (group - MONTHS_FROM) / 16 + MONTH_YEAR_MIN;
	*out_month = (group - MONTHS_FROM) % 16;
}

/* Days since 1970 before 1 January of a year after 1582 (Gregorian). */
static int64_t days_before_year(int64_t year)
{
	int64_t y = year - 1;
	return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

/* The C library's calendar follows the time zone's table of leap seconds where there is one: the
 * same second must give the same key everywhere. */
bool image_month(int64_t taken_s, int64_t modified_ns, uint32_t *out_group, uint32_t *out_second)
{
	static const uint8_t lengths[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t s = taken_s ? taken_s : modified_ns / 1000000000;
	if (s < days_before_year(MONTH_YEAR_MIN) * DAY_S ||
	    s >= days_before_year(MONTH_YEAR_MAX + 1) * DAY_S)
		return false;
	int64_t day = s / DAY_S - (s % DAY_S < 0);
	int64_t year = 1970 + (day < 0 ? day / 365 - 1 : day / 366); /* or earlier */
	while (days_before_year(year + 1) <= day)
		year++;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	int64_t first = days_before_year(year);
	uint32_t month = 0;
	for (;; month++) {
		int64_t length = lengths[month] + (leap && month == 1);
		if (day < first + length)
			break;
		first += length;
	}
	*out_group = month_group((uint32_t)year, month + 1);
	*out_second = (uint32_t)(s - first * DAY_S);
	return true;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Once for each row and group. */
static void emit_name(struct db_emit *out, unsigned index, uint64_t group, uint64_t id,
		      struct span name)
{
	uint8_t *key = db_emit_key_begin(out, index, COLLATE_KEY_MAX);
	if (key)
		db_emit_key_end(out, index, (uint32_t)group, id, library_collate_key(name, key));
}

/* A key of 4 bytes. */
static void emit_number(struct db_emit *out, unsigned index, uint32_t group, uint64_t id,
			uint32_t number)
{
	db_emit_word(out, index, group, id, (uint64_t)number << 32);
}

/* Album, disc, track: the key among files of one artist, genre or year. */
static uint64_t media_in_album(struct fb_table m)
{
	return (uint64_t)media_file_album_id(m) << 32 | (uint64_t)media_file_disc(m) << 16 |
	       media_file_track(m);
}

static inline void emit_in_album(struct db_emit *out, uint64_t id, uint64_t in_album)
{
	uint32_t album = (uint32_t)(in_album >> 32);
	if (album)
		emit_number(out, MEDIA_ALBUM, album, id, (uint32_t)in_album);
}

/* The group of the row before, which mostly is the next one's too. */
struct inode_place {
	uint64_t device, block;
	uint32_t group;
};

static inline void emit_inode(struct db_emit *out, uint64_t id, uint64_t device, uint64_t inode,
			      struct inode_place *last)
{
	if (!inode)
		return;
	if (last->block != inode >> 12 || last->device != device || !last->group)
		*last = (struct inode_place){ device, inode >> 12, inode_group(device, inode) };
	emit_number(out, MEDIA_INODE, last->group, id, (uint32_t)inode);
}

static inline void emit_created(struct db_emit *out, uint64_t id, uint8_t kind, int64_t created_at)
{
	emit_number(out, MEDIA_WHEN, kind, id, ~(uint32_t)created_at);
}

static inline void emit_month(struct db_emit *out, uint64_t id, struct fb_table m)
{
	uint32_t group, second;
	if (media_file_kind(m) == MEDIA_KIND_IMAGE &&
	    image_month(media_file_date_taken(m), media_file_modified(m), &group, &second))
		emit_number(out, MEDIA_WHEN, group, id, second);
}

/* Rows with the same terms, one behind the other: their entries go out term by term, so that they
 * come to be sorted in stretches, as an album does. */
#define STRETCH_ROWS_MAX 64u
struct term_stretch {
	struct fb_table first;
	struct fb_vector artists, genres;
	uint32_t album_artist, composer, year;
	size_t n;
	uint64_t id[STRETCH_ROWS_MAX], in_album[STRETCH_ROWS_MAX];
};

static void stretch_end(struct term_stretch *s, struct db_emit *out)
{
	uint32_t terms[MEDIA_TERMS_MAX];
	unsigned terms_n = s->n ? media_term_ids(s->first, terms) : 0;
	for (unsigned t = 0; t < terms_n; t++)
		for (size_t i = 0; i < s->n; i++)
			db_emit_word(out, MEDIA_TERM, terms[t], s->id[i], s->in_album[i]);
	s->n = 0;
}

/* What rows share in a chunk stands in one place. */
static inline void stretch_add(struct term_stretch *s, struct db_emit *out, uint64_t id,
			       struct fb_table m, uint64_t in_album)
{
	struct fb_vector artists = media_file_artist_ids(m), genres = media_file_genre_ids(m);
	uint32_t album_artist = media_file_album_artist_id(m);
	uint32_t composer = media_file_composer_id(m), year = media_file_year_id(m);
	if (s->n == 0 || s->n == STRETCH_ROWS_MAX || s->first.buf != m.buf ||
	    s->artists.pos != artists.pos || s->genres.pos != genres.pos ||
	    s->album_artist != album_artist || s->composer != composer || s->year != year) {
		stretch_end(s, out);
		s->first = m;
		s->artists = artists;
		s->genres = genres;
		s->album_artist = album_artist;
		s->composer = composer;
		s->year = year;
	}
	s->id[s->n] = id;
	s->in_album[s->n++] = in_album;
}

static void extract_media(const struct db_row *rows, size_t n, struct db_emit *out)
{
	struct inode_place place = { 0 };
	struct term_stretch stretch;
	stretch.n = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t id = rows[i].id;
		struct fb_table m = rows[i].row;
		/* read at once: what is emitted might lie anywhere, and every read would begin anew
		 */
		uint64_t directory = media_file_directory_id(m), in_album = media_in_album(m);
		uint64_t inode = media_file_inode(m), device = media_file_device(m);
		int64_t created_at = media_file_created_at(m);
		uint8_t kind = media_file_kind(m);
		struct span name = media_file_filename(m), title = media_file_title(m);
		stretch_add(&stretch, out, id, m, in_album);
		emit_name(out, MEDIA_DIR, directory, id, name);
		emit_name(out, MEDIA_TITLE, kind, id, title);
		emit_in_album(out, id, in_album);
		emit_inode(out, id, device, inode, &place);
		emit_created(out, id, kind, created_at);
		if (kind == MEDIA_KIND_IMAGE)
			emit_month(out, id, m);
	}
	stretch_end(&stretch, out);
}

/* ---- a media row that replaces another ------------------------------------------------------- */

struct change {
	uint64_t id;
	struct fb_table row[2]; /* before, after */
	struct db_emit *out[2]; /* removed, added */
};

static void change_name(const struct change *c, unsigned index, const uint64_t group[2],
			const struct span name[2])
{
	if (group[0] == group[1] && span_eq(name[0], name[1])) {
		db_emit_touch(c->out[1], index, (uint32_t)group[1]);
		return;
	}
	for (unsigned i = 0; i < 2; i++)
		emit_name(c->out[i], index, group[i], c->id, name[i]);
}

static bool has_term(const uint32_t *terms, unsigned n, uint32_t term)
{
	for (unsigned i = 0; i < n; i++)
		if (terms[i] == term)
			return true;
	return false;
}

static void change_terms(const struct change *c)
{
	uint32_t terms[2][MEDIA_TERMS_MAX];
	uint64_t in_album[2];
	unsigned n[2];
	for (unsigned i = 0; i < 2; i++) {
		n[i] = media_term_ids(c->row[i], terms[i]);
		in_album[i] = media_in_album(c->row[i]);
	}
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned t = 0; t < n[i]; t++) {
			if (in_album[0] != in_album[1] || !has_term(terms[!i], n[!i], terms[i][t]))
				db_emit_word(c->out[i], MEDIA_TERM, terms[i][t], c->id,
					     in_album[i]);
			else if (i)
				db_emit_touch(c->out[1], MEDIA_TERM, terms[i][t]);
		}
	}
	for (unsigned i = 0; i < 2 && in_album[0] != in_album[1]; i++)
		emit_in_album(c->out[i], c->id, in_album[i]);
	if (in_album[0] == in_album[1] && in_album[0] >> 32)
		db_emit_touch(c->out[1], MEDIA_ALBUM, (uint32_t)(in_album[0] >> 32));
}

static void change_inode(const struct change *c)
{
	struct fb_table before = c->row[0], after = c->row[1];
	uint64_t inode = media_file_inode(after), device = media_file_device(after);
	struct inode_place place = { 0 };
	if (media_file_inode(before) != inode || media_file_device(before) != device)
		for (unsigned i = 0; i < 2; i++)
			emit_inode(c->out[i], c->id, media_file_device(c->row[i]),
				   media_file_inode(c->row[i]), &place);
	else if (inode)
		db_emit_touch(c->out[1], MEDIA_INODE, inode_group(device, inode));
}

static void change_when(const struct change *c)
{
	struct fb_table before = c->row[0], after = c->row[1];
	uint8_t kind = media_file_kind(after);
	if (media_file_kind(before) == kind &&
	    media_file_created_at(before) == media_file_created_at(after))
		db_emit_touch(c->out[1], MEDIA_WHEN, kind);
	else
		for (unsigned i = 0; i < 2; i++)
			emit_created(c->out[i], c->id, media_file_kind(c->row[i]),
				     media_file_created_at(c->row[i]));
	for (unsigned i = 0; i < 2; i++) /* pictures seldom change */
		emit_month(c->out[i], c->id, c->row[i]);
}

static void change_media(const struct db_row *before, const struct db_row *after,
			 struct db_emit *removed, struct db_emit *added)
{
	struct fb_table b = before->row, a = after->row;
	const struct change c = { after->id, { b, a }, { removed, added } };
	change_name(&c, MEDIA_DIR,
		    (uint64_t[2]){ media_file_directory_id(b), media_file_directory_id(a) },
		    (struct span[2]){ media_file_filename(b), media_file_filename(a) });
	change_name(&c, MEDIA_TITLE, (uint64_t[2]){ media_file_kind(b), media_file_kind(a) },
		    (struct span[2]){ media_file_title(b), media_file_title(a) });
	change_terms(&c);
	change_inode(&c);
	change_when(&c);
}

static void extract_directory(const struct db_row *rows, size_t n, struct db_emit *out)
{
	for (size_t i = 0; i < n; i++) {
		struct fb_table d = rows[i].row;
		db_emit(out, DIRECTORY_PATH, (uint32_t)directory_hash(directory_path(d)),
			rows[i].id, span_of(NULL, 0));
		if (!directory_live(d))
			continue;
		uint8_t key[COLLATE_KEY_MAX];
		struct span name = span_of(key, library_collate_key(directory_name(d), key));
		uint32_t parent = (uint32_t)directory_parent_id(d);
		db_emit(out, DIRECTORY_SUB, parent, rows[i].id, name);
		for (unsigned k = 0; k < 3; k++)
			if (directory_kinds(d) & 1u << k)
				db_emit(out, DIRECTORY_AUDIO + k, parent, rows[i].id, name);
	}
}

static void extract_term(const struct db_row *rows, size_t n, struct db_emit *out)
{
	for (size_t i = 0; i < n; i++) {
		struct fb_table t = rows[i].row;
		db_emit(out, TERM_LOOKUP, (uint32_t)term_hash(term_kind(t), term_name(t)),
			rows[i].id, span_of(NULL, 0));
		if (!term_live(t))
			continue;
		emit_name(out, TERM_NAME, term_kind(t), rows[i].id, term_name(t));
		if (term_albums(t) && term_kind(t) != TERM_KIND_ALBUM_ARTIST)
			emit_name(out, TERM_NAME, TERM_KIND_ALBUM_ARTIST, rows[i].id, term_name(t));
	}
}

static void extract_album(const struct db_row *rows, size_t n, struct db_emit *out)
{
	for (size_t i = 0; i < n; i++) {
		struct fb_table a = rows[i].row;
		uint64_t hash =
			album_hash(album_artist_id(a), album_directory_id(a), album_title(a));
		db_emit(out, ALBUM_LOOKUP, (uint32_t)hash, rows[i].id, span_of(NULL, 0));
		if (!album_live(a))
			continue;
		emit_name(out, ALBUM_ALL, 0, rows[i].id, album_title(a));
		if (album_artist_id(a))
			emit_name(out, ALBUM_ARTIST, album_artist_id(a), rows[i].id,
				  album_title(a));
	}
}

static void extract_playlist(const struct db_row *rows, size_t n, struct db_emit *out)
{
	for (size_t i = 0; i < n; i++) {
		struct span path = playlist_path(rows[i].row);
		emit_name(out, PLAYLIST_NAME, 0, rows[i].id, playlist_name(rows[i].row));
		if (path.n)
			db_emit(out, PLAYLIST_PATH, (uint32_t)directory_hash(path), rows[i].id,
				span_of(NULL, 0));
	}
}

static void extract_playlist_entry(const struct db_row *rows, size_t n, struct db_emit *out)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t id = rows[i].id;
		struct fb_table t = rows[i].row;
		uint32_t playlist = (uint32_t)playlist_entry_playlist_id(t);
		uint32_t media = (uint32_t)playlist_entry_media_id(t);
		uint8_t order[8], hash[8];
		key_be64(playlist_entry_order(t), order);
		db_emit(out, ENTRY_ORDER, playlist, id, span_of(order, 8));
		if (media) {
			db_emit(out, ENTRY_PRESENT, playlist, id, span_of(order, 8));
			db_emit(out, ENTRY_MEDIA, media, id, span_of(NULL, 0));
		} else {
			key_be64(entry_uri_hash(playlist_entry_uri(t)), hash);
			db_emit(out, ENTRY_MISSING, 0, id, span_of(hash, 8));
		}
	}
}

static void emit_newest_first(struct db_emit *out, uint32_t group, uint64_t id, int64_t when)
{
	uint8_t key[8];
	key_be64(~(uint64_t)when, key);
	db_emit(out, BOOKMARK_LIST, group, id, span_of(key, 8));
}

static void extract_bookmark(const struct db_row *rows, size_t n, struct db_emit *out)
{
	for (size_t i = 0; i < n; i++) {
		struct fb_table t = rows[i].row;
		if (bookmark_last_played(t))
			emit_newest_first(out, BOOKMARKS_PLAYED, rows[i].id,
					  bookmark_last_played(t));
		if (bookmark_position_ms(t))
			emit_newest_first(out, BOOKMARKS_RESUME, rows[i].id,
					  bookmark_updated_at(t));
	}
}

static void extract_setting(const struct db_row *rows, size_t n, struct db_emit *out)
{
	for (size_t i = 0; i < n; i++)
		db_emit(out, SETTING_NAME, 0, rows[i].id,
			span_first(setting_name(rows[i].row), SETTING_NAME_MAX));
}

/* ---- the table of tables --------------------------------------------------------------------- */

/* The functions that differ between tables only in the type of their rows. */
#define TABLE_FUNCTIONS(type, id_field, rows_field)                                                \
	static void type##_begin(struct fb_writer *w, void *buf, uint32_t cap, uint64_t commit,    \
				 int64_t wall_s)                                                   \
	{                                                                                          \
		type##_batch_begin(w, buf, cap, commit, wall_s, BATCH_OPERATION_PUT);              \
	}                                                                                          \
	static uint32_t type##_max(const void *row_in)                                             \
	{                                                                                          \
		return type##_in_bytes_max(row_in);                                                \
	}                                                                                          \
	static void type##_row(struct fb_writer *w, uint64_t id, const void *row_in)               \
	{                                                                                          \
		const struct type##_in *in = row_in;                                               \
		if (LIKELY(in->id_field == id)) {                                                  \
			type##_batch_add(w, in);                                                   \
			return;                                                                    \
		}                                                                                  \
		struct type##_in copy = *in;                                                       \
		copy.id_field = id;                                                                \
		type##_batch_add(w, &copy);                                                        \
	}                                                                                          \
	static void type##_copy(struct fb_writer *w, struct fb_table row)                          \
	{                                                                                          \
		fb_row_copy(w, &type##_type, row);                                                 \
	}                                                                                          \
	static enum err type##_check(struct span payload, struct fb_vector *out_rows)              \
	{                                                                                          \
		struct fb_table root;                                                              \
		enum err e = type##_batch_verify(payload, &root);                                  \
		if (e == ERR_OK)                                                                   \
			*out_rows = type##_batch_##rows_field(root);                               \
		return e;                                                                          \
	}                                                                                          \
	static struct fb_vector type##_rows(struct span payload)                                   \
	{                                                                                          \
		const uint8_t *p = (const uint8_t *)payload.p;                                     \
		struct fb_table root = { p, (uint32_t)payload.n, num_le32(p) };                    \
		return type##_batch_##rows_field(root);                                            \
	}                                                                                          \
	static uint64_t type##_row_id(struct fb_table row)                                         \
	{                                                                                          \
		return type##_##id_field(row);                                                     \
	}

TABLE_FUNCTIONS(media_file, id, files)
TABLE_FUNCTIONS(directory, id, rows)
TABLE_FUNCTIONS(term, id, rows)
TABLE_FUNCTIONS(album, id, rows)
TABLE_FUNCTIONS(playlist, id, rows)
TABLE_FUNCTIONS(bookmark, media_id, rows)
TABLE_FUNCTIONS(setting, id, rows)
TABLE_FUNCTIONS(playlist_entry, id, rows)

#define TABLE(type, name_, index_defs, indexes_n_, extract_, change_, row_name_)                   \
	{                                                                                          \
		.name = (name_), .indexes = (index_defs), .indexes_n = (indexes_n_),               \
		.batch_begin = type##_begin, .row_bytes_max = type##_max, .write_row = type##_row, \
		.copy_row = type##_copy, .verify = type##_check, .rows = type##_rows,              \
		.row_id = type##_row_id, .extract = (extract_), .extract_change = (change_),       \
		.row_name = (row_name_),                                                           \
	}

static const struct db_index_def media_indexes[] = {
	[MEDIA_DIR] = { "dir", 12 },	[MEDIA_TITLE] = { "title", 20 },
	[MEDIA_TERM] = { "term", 8 },	[MEDIA_ALBUM] = { "album", 4 },
	[MEDIA_INODE] = { "inode", 4 }, [MEDIA_WHEN] = { "when", 4 },
};

static const struct db_index_def directory_indexes[] = {
	[DIRECTORY_PATH] = { "path", 0 },    [DIRECTORY_SUB] = { "sub", 12 },
	[DIRECTORY_AUDIO] = { "audio", 12 }, [DIRECTORY_VIDEO] = { "video", 12 },
	[DIRECTORY_IMAGE] = { "image", 12 },
};

static const struct db_index_def term_indexes[] = {
	[TERM_LOOKUP] = { "lookup", 0 },
	[TERM_NAME] = { "name", 20 },
};

static const struct db_index_def album_indexes[] = {
	[ALBUM_LOOKUP] = { "lookup", 0 },
	[ALBUM_ALL] = { "all", 20 },
	[ALBUM_ARTIST] = { "artist", 12 },
};

static const struct db_index_def playlist_indexes[] = {
	[PLAYLIST_NAME] = { "name", 20 },
	[PLAYLIST_PATH] = { "path", 0 },
};

static const struct db_index_def entry_indexes[] = {
	[ENTRY_ORDER] = { "order", 8 },
	[ENTRY_PRESENT] = { "present", 8 },
	[ENTRY_MEDIA] = { "media", 0 },
	[ENTRY_MISSING] = { "missing", 8 },
};

static const struct db_index_def bookmark_indexes[] = {
	[BOOKMARK_LIST] = { "list", 8 },
};

static const struct db_index_def setting_indexes[] = {
	[SETTING_NAME] = { "name", 20 },
};

const struct db_table_def library_tables[TABLES_N] = {
	[TABLE_MEDIA] = TABLE(media_file, "media", media_indexes, ARRAY_LEN(media_indexes),
			      extract_media, change_media, media_file_path),
	[TABLE_DIRECTORY] =
		TABLE(directory, "directory", directory_indexes, ARRAY_LEN(directory_indexes),
		      extract_directory, NULL, directory_path),
	[TABLE_TERM] = TABLE(term, "term", term_indexes, ARRAY_LEN(term_indexes), extract_term,
			     NULL, term_name),
	[TABLE_ALBUM] = TABLE(album, "album", album_indexes, ARRAY_LEN(album_indexes),
			      extract_album, NULL, album_title),
	[TABLE_PLAYLIST] =
		TABLE(playlist, "playlist", playlist_indexes, ARRAY_LEN(playlist_indexes),
		      extract_playlist, NULL, playlist_name),
	[TABLE_BOOKMARK] = TABLE(bookmark, "bookmark", bookmark_indexes,
				 ARRAY_LEN(bookmark_indexes), extract_bookmark, NULL, NULL),
	[TABLE_SETTING] = TABLE(setting, "setting", setting_indexes, ARRAY_LEN(setting_indexes),
				extract_setting, NULL, setting_name),
	[TABLE_PLAYLIST_ENTRY] =
		TABLE(playlist_entry, "playlist entry", entry_indexes, ARRAY_LEN(entry_indexes),
		      extract_playlist_entry, NULL, playlist_entry_uri),
};
