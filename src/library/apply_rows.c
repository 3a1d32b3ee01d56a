/* SPDX-License-Identifier: MIT */
/* Steps 2 and 3 of a commit: records, then what they are counted in. */
#include "library/apply.h"
#include "library/tables.h"

/* ---- terms and albums ------------------------------------------------------------------------ */

static void term_add(struct categories *c, uint32_t row)
{
	for (unsigned i = 0; i < c->terms_n; i++)
		if (c->terms[i] == row)
			return;
	c->terms[c->terms_n++] = row;
}

static enum err term_of(struct apply *a, struct categories *c, uint8_t kind, struct span name,
			uint32_t *out_id)
{
	uint32_t i;
	*out_id = 0;
	if (name.n == 0)
		return ERR_OK;
	struct dict_key key = { .name = name, .kind = kind };
	enum err e = dict_find(&a->dicts, DICT_TERM, &key, true, &i);
	if (e != ERR_OK)
		return e;
	*out_id = (uint32_t)a->dicts.d[DICT_TERM].rows[i].id;
	term_add(c, i);
	return ERR_OK;
}

static enum err terms_of(struct apply *a, struct categories *c, uint8_t kind, struct span first,
			 const struct span *list, uint32_t list_n, uint32_t ids[MEDIA_NAMES_MAX],
			 uint32_t *out_n)
{
	if (list_n == 0) {
		list = &first;
		list_n = first.n ? 1 : 0;
	}
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < list_n && e == ERR_OK; i++)
		e = term_of(a, c, kind, list[i], &ids[i]);
	*out_n = list_n;
	return e;
}

static enum err year_of(struct apply *a, struct categories *c, uint16_t year, uint32_t *out_id)
{
	char digits[32];
	size_t at = sizeof digits;
	for (unsigned left = year; left; left /= 10)
		digits[--at] = (char)('0' + left % 10);
	return term_of(a, c, TERM_KIND_YEAR, span_of(digits + at, sizeof digits - at), out_id);
}

/* (album artist, else artist; title); the folder instead of the artist for a compilation and where
 * there is none. */
static enum err album_of(struct apply *a, struct categories *c, const struct media_file_in *in,
			 uint32_t *out_id)
{
	*out_id = 0;
	if (in->album.n == 0)
		return ERR_OK;
	struct dict_key key = { .name = in->album };
	if (!in->compilation)
		key.artist_id = in->album_artist_id ? in->album_artist_id
				: in->artist_ids_n  ? in->artist_ids[0]
						    : 0;
	if (key.artist_id == 0)
		key.directory_id = in->directory_id;
	enum err e = dict_find(&a->dicts, DICT_ALBUM, &key, true, &c->album);
	if (e != ERR_OK)
		return e;
	struct dict_row *row = &a->dicts.d[DICT_ALBUM].rows[c->album];
	*out_id = (uint32_t)row->id;
	if (row->stored.pos || row->label.n)
		return ERR_OK;
	row->label = in->album_artist.n || in->compilation ? in->album_artist : in->artist;
	return row->label.n ? dict_keep(&a->dicts, &row->label) : ERR_OK;
}

/* Only audio has categories: a film's genre does not belong under "Music". */
static enum err categories_find(struct apply *a, struct file_row *row)
{
	struct media_file_in *in = &row->in;
	struct categories *c = &row->categories;
	c->terms_n = 0;
	c->album = DICT_NONE;
	in->artist_ids = row->artist_ids;
	in->genre_ids = row->genre_ids;
	in->artist_ids_n = in->genre_ids_n = 0;
	in->album_artist_id = in->composer_id = in->year_id = in->album_id = 0;
	if (in->kind != MEDIA_KIND_AUDIO)
		return ERR_OK;
	enum err e = terms_of(a, c, TERM_KIND_ARTIST, in->artist, in->artists, in->artists_n,
			      row->artist_ids, &in->artist_ids_n);
	if (e == ERR_OK) /* one name, one person: album artists are artists */
		e = term_of(a, c, TERM_KIND_ARTIST, in->album_artist, &in->album_artist_id);
	if (e == ERR_OK)
		e = terms_of(a, c, TERM_KIND_GENRE, in->genre, in->genres, in->genres_n,
			     row->genre_ids, &in->genre_ids_n);
	if (e == ERR_OK)
		e = term_of(a, c, TERM_KIND_COMPOSER, in->composer, &in->composer_id);
	if (e == ERR_OK)
		e = year_of(a, c, in->year, &in->year_id);
	return e == ERR_OK ? album_of(a, c, in, &in->album_id) : e;
}

/* The directory of a file that was not probed, or is new. */
static enum err directory_of(struct apply *a, const struct file_entry *f, uint32_t *out)
{
	const struct file_row *row = &a->row;
	if (f->directory != DICT_NONE)
		*out = f->directory;
	else if (row->counted && row->counted->directory == f->in->directory)
		*out = row->categories.directory;
	else
		return dict_directory(&a->dicts, path_directory(row->in.path), true, out);
	return ERR_OK;
}

/* All that categories follow from, but for the directory. */
static bool same_categories(const struct batch_file *x, const struct batch_file *y)
{
	return x->texts == y->texts && x->year == y->year && x->kind == y->kind &&
	       x->compilation == y->compilation && !x->more && !y->more;
}

/* The files that were written with the categories at hand. */
static void count_new(struct apply *a)
{
	const struct categories *c = &a->row.categories;
	int n = (int)a->row.new_n;
	if (n == 0)
		return;
	a->row.new_n = 0;
	dict_count_file_row(&a->dicts, c->directory, a->row.counted->kind, n);
	for (unsigned i = 0; i < c->terms_n; i++)
		dict_count_row(&a->dicts, DICT_TERM, c->terms[i], n);
	if (c->album != DICT_NONE)
		dict_count_row(&a->dicts, DICT_ALBUM, c->album, n);
}

static enum err categories_of(struct apply *a, const struct batch_file *file, uint32_t directory)
{
	struct file_row *row = &a->row;
	struct categories *c = &row->categories;
	if (row->counted && c->directory == directory && same_categories(row->counted, file))
		return ERR_OK;
	count_new(a);
	row->counted = NULL;
	row->in.alike = ++row->alike_n;
	c->directory = directory;
	row->in.directory_id = a->dicts.d[DICT_DIRECTORY].rows[directory].id;
	enum err e = categories_find(a, row);
	if (e == ERR_OK)
		row->counted = file;
	return e;
}

/* ---- counting -------------------------------------------------------------------------------- */

static enum err count_stored(struct apply *a, struct fb_table media)
{
	uint32_t terms[MEDIA_TERMS_MAX];
	unsigned n = media_term_ids(media, terms);
	enum err e = dict_count_file(&a->dicts, media_file_directory_id(media),
				     media_file_kind(media), -1);
	for (unsigned i = 0; i < n && e == ERR_OK; i++)
		e = dict_count(&a->dicts, DICT_TERM, terms[i], -1);
	return e == ERR_OK ? dict_count(&a->dicts, DICT_ALBUM, media_file_album_id(media), -1) : e;
}

/* Months are listings too, and by the end of the commit its files are forgotten. */
static void note_month(struct apply *a, uint8_t kind, int64_t taken_s, int64_t modified_ns)
{
	uint32_t group, second;
	if (kind != MEDIA_KIND_IMAGE || !image_month(taken_s, modified_ns, &group, &second))
		return;
	for (unsigned i = a->months_n; i-- > 0;)
		if (a->months[i] == group)
			return;
	if (a->months_n < ARRAY_LEN(a->months))
		a->months[a->months_n++] = group;
	else
		a->months_overflow = true;
}

static void note_stored_month(struct apply *a, struct fb_table media)
{
	note_month(a, media_file_kind(media), media_file_date_taken(media),
		   media_file_modified(media));
}

/* ---- records --------------------------------------------------------------------------------- */

static enum err remove_file(struct apply *a, struct file_entry *f)
{
	if (f->stored.pos == 0)
		return ERR_OK; /* put and removed in the same commit */
	enum err e = db_txn_remove(a->txn, TABLE_MEDIA, f->id);
	if (e != ERR_OK)
		return e;
	a->rows_n++;
	f->owner->result.removed_n++;
	note_stored_month(a, f->stored);
	return count_stored(a, f->stored);
}

/* What is stored of it stays, where it was: nothing has come to the path that was named. */
static void fail_file(struct file_entry *f)
{
	f->fate = FILE_KEPT;
	f->owner->result.failed_n++;
}

static enum err put_file(struct apply *a, struct file_entry *f)
{
	struct media_file_in *in = &a->row.in;
	bool is_new = f->stored.pos == 0;
	in->id = is_new ? db_txn_new_id(a->txn, TABLE_MEDIA) : f->id;
	in->created_at = is_new ? a->now_s : media_file_created_at(f->stored);
	in->updated_at = a->now_s;
	enum err e = db_txn_put(a->txn, TABLE_MEDIA, in->id, in);
	if (e == ERR_LIMIT) { /* this one record is too large; the others are fine */
		fail_file(f);
		return ERR_OK;
	}
	if (e != ERR_OK)
		return e;
	f->id = in->id;
	a->rows_n++;
	f->owner->result.put_n++;
	a->row.new_n++;
	if (!is_new)
		note_stored_month(a, f->stored);
	note_month(a, in->kind, in->date_taken, in->modified);
	return is_new ? ERR_OK : count_stored(a, f->stored);
}

static enum err store_file(struct apply *a, struct file_entry *f)
{
	struct file_row *row = &a->row;
	file_unpack(f->in, row->unpacked, &row->in);
	row->unpacked = f->in;
	if (f->stored.pos && media_same(f->stored, &row->in))
		return ERR_OK;
	uint32_t directory;
	enum err e = directory_of(a, f, &directory);
	if (e == ERR_NOTFOUND || e == ERR_CORRUPT) { /* no media root above it that can be read */
		fail_file(f);
		return ERR_OK;
	}
	if (e == ERR_OK)
		e = categories_of(a, f->in, directory);
	return e == ERR_OK ? put_file(a, f) : e;
}

enum err apply_files(struct apply *a)
{
	enum err e = apply_probe_albums(a);
	for (uint32_t i = 0; i < a->entries_n && e == ERR_OK; i++) {
		struct file_entry *f = &a->entries[i];
		if (f->fate == FILE_GONE)
			e = remove_file(a, f);
		else if (f->fate == FILE_STORED)
			e = store_file(a, f);
	}
	count_new(a);
	return e;
}

enum err apply_rows(struct apply *a)
{
	enum err e = apply_files(a);
	if (e == ERR_OK)
		e = dicts_settle(&a->dicts);
	if (e == ERR_OK)
		e = dicts_store(&a->dicts, &a->rows_n);
	return e == ERR_OK ? lists_settle(a) : e;
}
