/* SPDX-License-Identifier: MIT */
/* LMDB as its best users have it: records appended under dense integer keys, eight sub-databases of
 * 4-byte ids as sorted duplicates, whose changes are gathered per commit and applied in the order
 * of their keys, many duplicates in one call. A directory is the hash of its path. Records are
 * FlatBuffers as ours are; "lmdb-packed" has them as small as can be. */
#include <lmdb.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/attr.h"
#include "engine.h"
#include "library/library.h"
#include "lmdb_changes.h"
#include "lmdb_record.h"

enum sub {
	BY_PATH,
	BY_DIRECTORY,
	BY_ARTIST,
	BY_ALBUM_ARTIST,
	BY_ALBUM,
	BY_GENRE,
	BY_YEAR,
	BY_TITLE,
	INDEXES_N,
	RECORDS = INDEXES_N,
	SUBS_N
};

static const char *const names[SUBS_N] = { "path",  "directory", "artist", "album_artist", "album",
					   "genre", "year",	 "title",  "records" };

struct lmdb {
	const struct lmdb_format *format;
	MDB_env *env;
	MDB_dbi sub[SUBS_N];
	MDB_txn *write, *read; /* read: reset between reads */
	MDB_cursor *records;   /* of the write transaction */
	MDB_cursor *cursor[SUBS_N];
	uint64_t next_id;
	struct changes changes[INDEXES_N];
};

static void must(int rc)
{
	if (rc != MDB_SUCCESS)
		bench_fail("lmdb", mdb_strerror(rc));
}

static MDB_val val_of(struct span s)
{
	return (MDB_val){ s.n, (void *)(uintptr_t)s.p };
}

static struct span span_of_val(MDB_val v)
{
	return span_of(v.mv_data, v.mv_size);
}

/* ---- keys ------------------------------------------------------------------------------------ */

struct key {
	uint8_t p[sizeof(uint64_t) + COLLATE_KEY_MAX];
	size_t n;
};

static struct span key_directory(struct key *k, struct span path)
{
	uint64_t hash = XXH3_64bits(path.p, path.n);
	memcpy(k->p, &hash, sizeof hash);
	k->n = sizeof hash;
	return span_of(k->p, k->n);
}

/* The key of a record in an index; empty where it has none. `directory` belongs to its path. */
static struct span key_of(struct key *k, enum sub which, const struct row_view *v,
			  struct span directory)
{
	switch (which) {
	case BY_PATH:
		return v->path;
	case BY_DIRECTORY:
		key_directory(k, directory);
		k->n += library_collate_key(v->filename, k->p + k->n);
		break;
	case BY_ARTIST:
		return v->artist;
	case BY_ALBUM_ARTIST:
		return v->album_artist;
	case BY_ALBUM:
		return v->album;
	case BY_GENRE:
		return v->genre;
	case BY_YEAR:
		return span_of(&v->year, sizeof v->year);
	default:
		k->n = library_collate_key(v->title, k->p);
		break;
	}
	return span_of(k->p, MIN(k->n, (size_t)511)); /* LMDB's longest */
}

/* ---- opening --------------------------------------------------------------------------------- */

static void open_subs(struct lmdb *l)
{
	for (unsigned i = 0; i < SUBS_N; i++) {
		unsigned flags = MDB_CREATE;
		if (i == RECORDS)
			flags |= MDB_INTEGERKEY;
		else if (i != BY_PATH)
			flags |= MDB_DUPSORT | MDB_DUPFIXED | MDB_INTEGERDUP;
		must(mdb_dbi_open(l->write, names[i], flags, &l->sub[i]));
	}
	MDB_stat stat;
	must(mdb_stat(l->write, l->sub[RECORDS], &stat));
	MDB_cursor *c;
	MDB_val k, v;
	must(mdb_cursor_open(l->write, l->sub[RECORDS], &c));
	l->next_id = 1;
	if (mdb_cursor_get(c, &k, &v, MDB_LAST) == MDB_SUCCESS)
		memcpy(&l->next_id, k.mv_data, sizeof l->next_id), l->next_id++;
	mdb_cursor_close(c);
}

static void *open_format(const struct engine_options *o, const struct lmdb_format *format)
{
	struct lmdb *l = calloc(1, sizeof *l);
	if (!l)
		bench_fail("lmdb", "no memory");
	l->format = format;
	must(mdb_env_create(&l->env));
	must(mdb_env_set_maxdbs(l->env, SUBS_N));
	must(mdb_env_set_mapsize(l->env, (o->rows_n * 4096 + (1u << 30)) & ~4095ull));
	must(mdb_env_open(l->env, o->dir, MDB_NORDAHEAD, 0600));
	must(mdb_txn_begin(l->env, NULL, 0, &l->write));
	open_subs(l);
	must(mdb_txn_commit(TAKE(l->write)));
	must(mdb_txn_begin(l->env, NULL, MDB_RDONLY, &l->read));
	for (unsigned i = 0; i < SUBS_N; i++)
		must(mdb_cursor_open(l->read, l->sub[i], &l->cursor[i]));
	mdb_txn_reset(l->read);
	return l;
}

static void *lmdb_open(const struct engine_options *o)
{
	return open_format(o, &lmdb_flatbuffers);
}

static void *lmdb_packed_open(const struct engine_options *o)
{
	return open_format(o, &lmdb_packed);
}

static void lmdb_close(void *db)
{
	struct lmdb *l = db;
	for (unsigned i = 0; i < SUBS_N; i++)
		mdb_cursor_close(l->cursor[i]);
	mdb_txn_abort(l->read);
	mdb_env_close(l->env);
	for (unsigned i = 0; i < INDEXES_N; i++)
		changes_fini(&l->changes[i]);
	free(l);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void begin(struct lmdb *l)
{
	if (l->write)
		return;
	must(mdb_txn_begin(l->env, NULL, 0, &l->write));
	must(mdb_cursor_open(l->write, l->sub[RECORDS], &l->records));
}

static void write_record(struct lmdb *l, uint64_t id, const struct media_file_in *in,
			 unsigned flags)
{
	struct media_file_in with_id = *in;
	uint8_t bytes[LMDB_RECORD_BYTES_MAX];
	with_id.id = id;
	MDB_val k = { sizeof id, &id }, v = { l->format->encode(&with_id, bytes), bytes };
	must(mdb_cursor_put(l->records, &k, &v, flags));
}

/* What the indexes need of a row. */
static struct row_view view_of(const struct media_file_in *in)
{
	return (struct row_view){ .year = in->year,
				  .path = in->path,
				  .filename = in->filename,
				  .title = in->title,
				  .artist = in->artist,
				  .album = in->album,
				  .genre = in->genre,
				  .album_artist = in->album_artist };
}

static void lmdb_put(void *db, const struct row *row)
{
	struct lmdb *l = db;
	struct row_view v = view_of(&row->in);
	struct key k;
	begin(l);
	uint64_t id = l->next_id++;
	write_record(l, id, &row->in, MDB_APPEND);
	for (unsigned i = 0; i < INDEXES_N; i++)
		changes_add(&l->changes[i], key_of(&k, i, &v, row->directory), (uint32_t)id, true);
}

/* The record at `path` in the write transaction, where the cursor then stands; false: none. */
static bool find_old(struct lmdb *l, struct span path, uint64_t *out_id, struct row_view *out)
{
	MDB_val k = val_of(path), v;
	begin(l);
	int rc = mdb_get(l->write, l->sub[BY_PATH], &k, &v);
	if (rc == MDB_NOTFOUND)
		return false;
	must(rc);
	uint32_t id;
	memcpy(&id, v.mv_data, sizeof id);
	*out_id = id;
	k = (MDB_val){ sizeof *out_id, out_id };
	must(mdb_cursor_get(l->records, &k, &v, MDB_SET_KEY));
	l->format->decode(span_of_val(v), WANT_RECORD, out);
	return true;
}

static void lmdb_update(void *db, const struct row *row)
{
	struct lmdb *l = db;
	struct row_view old, new = view_of(&row->in);
	struct key old_key, new_key;
	uint64_t id;
	if (!find_old(l, row->in.path, &id, &old))
		return;
	for (unsigned i = 0; i < INDEXES_N; i++) {
		struct span was = key_of(&old_key, i, &old, row->directory);
		struct span is = key_of(&new_key, i, &new, row->directory);
		if (span_eq(was, is))
			continue;
		changes_add(&l->changes[i], was, (uint32_t)id, false);
		changes_add(&l->changes[i], is, (uint32_t)id, true);
	}
	write_record(l, id, &row->in, 0);
}

static void lmdb_remove(void *db, struct span path)
{
	struct lmdb *l = db;
	struct row_view old;
	struct key k;
	uint64_t id;
	if (!find_old(l, path, &id, &old))
		return;
	struct span directory = span_first(path, span_rfind(path, '/'));
	for (unsigned i = 0; i < INDEXES_N; i++)
		changes_add(&l->changes[i], key_of(&k, i, &old, directory), (uint32_t)id, false);
	must(mdb_cursor_del(l->records, 0));
}

static void apply_added(MDB_cursor *c, enum sub which, struct change_group *g)
{
	MDB_val k = val_of(g->key), v[2] = { { sizeof *g->ids, g->ids }, { g->ids_n, NULL } };
	if (which == BY_PATH)
		must(mdb_cursor_put(c, &k, v, MDB_NOOVERWRITE));
	else if (g->ids_n == 1)
		must(mdb_cursor_put(c, &k, v, 0));
	else
		must(mdb_cursor_put(c, &k, v, MDB_MULTIPLE));
}

static void apply_removed(MDB_cursor *c, enum sub which, struct change_group *g)
{
	MDB_val k = val_of(g->key);
	for (size_t i = 0; i < g->ids_n; i++) {
		MDB_val v = { sizeof *g->ids, &g->ids[i] };
		must(mdb_cursor_get(c, &k, &v, which == BY_PATH ? MDB_SET : MDB_GET_BOTH));
		must(mdb_cursor_del(c, 0));
	}
}

static void lmdb_commit(void *db)
{
	struct lmdb *l = db;
	begin(l);
	mdb_cursor_close(TAKE(l->records));
	for (unsigned i = 0; i < INDEXES_N; i++) {
		MDB_cursor *c;
		struct change_group g;
		must(mdb_cursor_open(l->write, l->sub[i], &c));
		changes_sort(&l->changes[i]);
		while (changes_next(&l->changes[i], &g)) {
			if (g.added)
				apply_added(c, i, &g);
			else
				apply_removed(c, i, &g);
		}
		mdb_cursor_close(c);
		changes_clear(&l->changes[i]);
	}
	must(mdb_txn_commit(TAKE(l->write)));
}

/* ---- reading --------------------------------------------------------------------------------- */

/* A snapshot for one read: renewed, not made again. */
static MDB_cursor *read_begin(struct lmdb *l, enum sub which)
{
	must(mdb_txn_renew(l->read));
	must(mdb_cursor_renew(l->read, l->cursor[which]));
	if (which != RECORDS)
		must(mdb_cursor_renew(l->read, l->cursor[RECORDS]));
	return l->cursor[which];
}

static void read_end(struct lmdb *l)
{
	mdb_txn_reset(l->read);
}

static bool record_of_id(struct lmdb *l, uint64_t id, enum lmdb_want want, struct row_view *out)
{
	MDB_val k = { sizeof id, &id }, v;
	if (mdb_cursor_get(l->cursor[RECORDS], &k, &v, MDB_SET) != MDB_SUCCESS)
		return false;
	l->format->decode(span_of_val(v), want, out);
	out->id = id;
	return true;
}

static bool record_of_val(struct lmdb *l, MDB_val v, enum lmdb_want want, struct row_view *out)
{
	uint32_t id;
	memcpy(&id, v.mv_data, sizeof id);
	return record_of_id(l, id, want, out);
}

static void lmdb_get_path(void *db, struct span path, struct digest *d)
{
	struct lmdb *l = db;
	struct row_view r;
	MDB_val k = val_of(path), v;
	MDB_cursor *c = read_begin(l, BY_PATH);
	if (mdb_cursor_get(c, &k, &v, MDB_SET) == MDB_SUCCESS &&
	    record_of_val(l, v, WANT_RECORD, &r))
		digest_record(d, &r);
	read_end(l);
}

static void lmdb_get_id(void *db, uint64_t id, struct digest *d)
{
	struct lmdb *l = db;
	struct row_view r;
	read_begin(l, RECORDS);
	if (record_of_id(l, id, WANT_RECORD, &r))
		digest_record(d, &r);
	read_end(l);
}

static void lmdb_directory(void *db, struct span path, struct digest *d)
{
	struct lmdb *l = db;
	struct row_view r;
	struct key key;
	struct span prefix = key_directory(&key, path);
	MDB_val k = val_of(prefix), v;
	MDB_cursor *c = read_begin(l, BY_DIRECTORY);
	int rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
	while (rc == MDB_SUCCESS && span_starts(span_of_val(k), prefix)) {
		if (record_of_val(l, v, WANT_ENTRY, &r))
			digest_entry(d, &r);
		rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
	}
	read_end(l);
}

static void lmdb_titles(void *db, uint64_t offset, uint64_t n, struct digest *d)
{
	struct lmdb *l = db;
	struct row_view r;
	MDB_val k, v;
	MDB_cursor *c = read_begin(l, BY_TITLE);
	int rc = mdb_cursor_get(c, &k, &v, MDB_FIRST);
	while (rc == MDB_SUCCESS && offset-- > 0)
		rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
	while (rc == MDB_SUCCESS && n-- > 0) {
		if (record_of_val(l, v, WANT_ENTRY, &r))
			digest_entry(d, &r);
		rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
	}
	read_end(l);
}

static void lmdb_artists(void *db, struct digest *d)
{
	struct lmdb *l = db;
	MDB_val k, v;
	MDB_cursor *c = read_begin(l, BY_ARTIST);
	int rc = mdb_cursor_get(c, &k, &v, MDB_FIRST);
	while (rc == MDB_SUCCESS) {
		size_t n;
		must(mdb_cursor_count(c, &n));
		digest_count(d, span_of_val(k), n);
		rc = mdb_cursor_get(c, &k, &v, MDB_NEXT_NODUP);
	}
	read_end(l);
}

static void artist_block(struct lmdb *l, MDB_val block, struct digest *d)
{
	struct row_view r;
	const char *ids = block.mv_data;
	for (size_t i = 0; i < block.mv_size; i += sizeof(uint32_t)) {
		uint32_t id;
		memcpy(&id, ids + i, sizeof id);
		if (record_of_id(l, id, WANT_TRACK, &r))
			digest_track(d, &r);
	}
}

static void lmdb_artist_tracks(void *db, struct span artist, struct digest *d)
{
	struct lmdb *l = db;
	MDB_val k = val_of(artist), v;
	MDB_cursor *c = read_begin(l, BY_ARTIST);
	int rc = mdb_cursor_get(c, &k, &v, MDB_SET);
	if (rc == MDB_SUCCESS)
		rc = mdb_cursor_get(c, &k, &v, MDB_GET_MULTIPLE);
	while (rc == MDB_SUCCESS) {
		artist_block(l, v, d);
		rc = mdb_cursor_get(c, &k, &v, MDB_NEXT_MULTIPLE);
	}
	read_end(l);
}

#define LMDB_ENGINE                                                                                \
	.close = lmdb_close, .put = lmdb_put, .commit = lmdb_commit, .update = lmdb_update,        \
	.remove = lmdb_remove, .get_path = lmdb_get_path, .get_id = lmdb_get_id,                   \
	.directory = lmdb_directory, .titles = lmdb_titles, .artists = lmdb_artists,               \
	.artist_tracks = lmdb_artist_tracks

const struct engine engine_lmdb = { .name = "lmdb", .open = lmdb_open, LMDB_ENGINE };
const struct engine engine_lmdb_packed = { .name = "lmdb-packed",
					   .open = lmdb_packed_open,
					   LMDB_ENGINE };
