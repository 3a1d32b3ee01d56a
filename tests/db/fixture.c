/* SPDX-License-Identifier: MIT */
/* The tables and the model of the store's tests. */
#include "fixture.h"

#include <stdlib.h>

#include "db/emit.h"

/* ---- rows from (id, version) ---- */

struct fx_text {
	char text[80];
	uint32_t n;
};

struct fx_row {
	uint32_t dir, kind, album, hash, terms_n, terms[3], track;
	struct fx_text name, title;
	char path[32];
};

static uint64_t mix(uint64_t x)
{
	x ^= x >> 31;
	x *= 0x7fb5d329728ea185u;
	x ^= x >> 27;
	x *= 0x81dadef4bc2dd44du;
	return x ^ x >> 33;
}

/* Few letters and all lengths: many equal prefixes, equal keys, short keys and tails. */
static void text_make(struct fx_text *t, uint64_t h, uint32_t n_max)
{
	t->n = (uint32_t)(h % (n_max + 1));
	for (uint32_t i = 0; i < t->n; i++) {
		uint64_t bits = mix(h / 64 % 5 + i / 7 * (h >> 20 & 1));
		t->text[i] = (char)('a' + (bits >> i % 60 & 1));
	}
}

static void row_make(uint64_t id, uint32_t version, struct fx_row *r)
{
	uint64_t h = mix(id * 1000003 + version);
	r->dir = (uint32_t)(h % 7);
	r->kind = (uint32_t)(h >> 8 & 1);
	r->album = (uint32_t)(h >> 10 & 3);
	r->hash = (uint32_t)(mix(id) % FX_GROUPS);
	r->terms_n = (uint32_t)(h >> 16 & 3);
	for (uint32_t i = 0; i < r->terms_n; i++)
		r->terms[i] = (uint32_t)(h >> (20 + 4 * i) & 15); /* may repeat */
	r->track = (uint32_t)(h >> 40 & 7);
	text_make(&r->name, mix(h), 40);
	text_make(&r->title, mix(h + 1), 70);
	snprintf(r->path, sizeof r->path, "/m/%" PRIu64 "/%" PRIu32, id, version);
}

static struct span text_span(const struct fx_text *t)
{
	return span_of(t->text, t->n);
}

enum err fx_put(struct db_txn *txn, unsigned table, uint64_t id, uint32_t version)
{
	struct fx_row r = { 0 };
	row_make(id, version, &r);
	if (table == FX_SETTING) {
		struct setting_in in = { .id = id,
					 .name = text_span(&r.name),
					 .value = span_str(r.path) };
		return db_txn_put(txn, table, id, &in);
	}
	struct media_file_in in = {
		.id = id,
		.path = span_str(r.path),
		.filename = text_span(&r.name),
		.title = text_span(&r.title),
		.kind = (uint8_t)r.kind,
		.directory_id = r.dir,
		.album_id = r.album,
		.track = (uint16_t)r.track,
		.artist_ids = r.terms,
		.artist_ids_n = r.terms_n,
	};
	return db_txn_put(txn, table, id, &in);
}

/* ---- table definitions ---- */

static void put_be32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
}

static void media_extract(const struct db_row *rows, size_t n, struct db_emit *out)
{
	for (size_t i = 0; i < n; i++) {
		struct fb_table t = rows[i].row;
		uint64_t id = rows[i].id;
		uint8_t key[8] = { 0 };
		put_be32(key, media_file_track(t));
		db_emit(out, FX_DIR, (uint32_t)media_file_directory_id(t), id,
			media_file_filename(t));
		db_emit(out, FX_TITLE, media_file_kind(t), id, media_file_title(t));
		struct fb_vector terms = media_file_artist_ids(t);
		for (uint32_t k = 0; k < terms.n; k++)
			db_emit(out, FX_TERM, fb_vector_u32(terms, k), id, span_of(key, 8));
		db_emit(out, FX_ALBUM, media_file_album_id(t), id, span_of(key, 4));
		db_emit(out, FX_HASH, (uint32_t)(mix(id) % FX_GROUPS), id, span_of("", 0));
	}
}

/* What mostly stays is touched, the rest is emitted twice, whether it changed or not. */
static void media_change(const struct db_row *before, const struct db_row *after,
			 struct db_emit *removed, struct db_emit *added)
{
	struct fb_table rows[2] = { before->row, after->row };
	struct db_emit *out[2] = { removed, added };
	uint64_t id = after->id;
	bool moved = media_file_directory_id(rows[0]) != media_file_directory_id(rows[1]) ||
		     !span_eq(media_file_filename(rows[0]), media_file_filename(rows[1]));
	for (unsigned i = 0; i < 2; i++) {
		struct fb_table t = rows[i];
		uint8_t key[8] = { 0 };
		put_be32(key, media_file_track(t));
		if (moved)
			db_emit(out[i], FX_DIR, (uint32_t)media_file_directory_id(t), id,
				media_file_filename(t));
		db_emit(out[i], FX_TITLE, media_file_kind(t), id, media_file_title(t));
		struct fb_vector terms = media_file_artist_ids(t);
		for (uint32_t k = 0; k < terms.n; k++)
			db_emit(out[i], FX_TERM, fb_vector_u32(terms, k), id, span_of(key, 8));
		db_emit(out[i], FX_ALBUM, media_file_album_id(t), id, span_of(key, 4));
	}
	if (!moved)
		db_emit_touch(added, FX_DIR, (uint32_t)media_file_directory_id(rows[1]));
	db_emit_touch(added, FX_HASH, (uint32_t)(mix(id) % FX_GROUPS));
}

static void setting_extract(const struct db_row *rows, size_t n, struct db_emit *out)
{
	for (size_t i = 0; i < n; i++) {
		db_emit(out, FX_NAME, 0, rows[i].id, setting_name(rows[i].row));
		db_emit(out, FX_LOOKUP, (uint32_t)(mix(rows[i].id) % FX_GROUPS), rows[i].id,
			span_of("", 0));
	}
}

#define TABLE_FUNCTIONS(table, rows_field)                                                         \
	static void table##_begin(struct fb_writer *w, void *buf, uint32_t cap, uint64_t commit,   \
				  int64_t wall_s)                                                  \
	{                                                                                          \
		table##_batch_begin(w, buf, cap, commit, wall_s, BATCH_OPERATION_PUT);             \
	}                                                                                          \
	static uint32_t table##_bytes_max(const void *in)                                          \
	{                                                                                          \
		return table##_in_bytes_max(in);                                                   \
	}                                                                                          \
	static void table##_put(struct fb_writer *w, uint64_t id, const void *row_in)              \
	{                                                                                          \
		struct table##_in in = *(const struct table##_in *)row_in;                         \
		in.id = id;                                                                        \
		table##_batch_add(w, &in);                                                         \
	}                                                                                          \
	static void table##_copy(struct fb_writer *w, struct fb_table row)                         \
	{                                                                                          \
		fb_row_copy(w, &table##_type, row);                                                \
	}                                                                                          \
	static struct fb_vector table##_rows(struct span payload)                                  \
	{                                                                                          \
		const uint8_t *p = (const uint8_t *)payload.p;                                     \
		return table##_batch_##rows_field(                                                 \
			(struct fb_table){ p, (uint32_t)payload.n, num_le32(p) });                 \
	}                                                                                          \
	static enum err table##_check(struct span payload, struct fb_vector *out)                  \
	{                                                                                          \
		struct fb_table root;                                                              \
		enum err e = table##_batch_verify(payload, &root);                                 \
		if (e == ERR_OK)                                                                   \
			*out = table##_batch_##rows_field(root);                                   \
		return e;                                                                          \
	}

TABLE_FUNCTIONS(media_file, files)
TABLE_FUNCTIONS(setting, rows)

static const struct db_index_def media_indexes[] = {
	[FX_DIR] = { "dir", 12 },    [FX_TITLE] = { "title", 20 }, [FX_TERM] = { "term", 8 },
	[FX_ALBUM] = { "album", 4 }, [FX_HASH] = { "hash", 0 },
};

static const struct db_index_def setting_indexes[] = {
	[FX_NAME] = { "name", 12 },
	[FX_LOOKUP] = { "lookup", 0 },
};

const struct db_table_def fx_tables[FX_TABLES] = {
	[FX_MEDIA] = { .name = "media",
		       .indexes = media_indexes,
		       .indexes_n = FX_MEDIA_INDEXES,
		       .batch_begin = media_file_begin,
		       .row_bytes_max = media_file_bytes_max,
		       .write_row = media_file_put,
		       .copy_row = media_file_copy,
		       .verify = media_file_check,
		       .rows = media_file_rows,
		       .row_id = media_file_id,
		       .row_name = media_file_path,
		       .extract = media_extract,
		       .extract_change = media_change },
	[FX_SETTING] = { .name = "setting",
			 .indexes = setting_indexes,
			 .indexes_n = FX_SETTING_INDEXES,
			 .batch_begin = setting_begin,
			 .row_bytes_max = setting_bytes_max,
			 .write_row = setting_put,
			 .copy_row = setting_copy,
			 .verify = setting_check,
			 .rows = setting_rows,
			 .row_id = setting_id,
			 .extract = setting_extract },
};

/* ---- the model ---- */

struct fx_entry {
	uint64_t id;
	struct fx_text key;
};

/* Whether the row has an entry in the group, and its key. */
static bool model_entry(unsigned table, unsigned index, uint32_t group, uint64_t id,
			uint32_t version, struct fx_entry *out)
{
	struct fx_row r = { 0 };
	row_make(id, version, &r);
	*out = (struct fx_entry){ .id = id };
	if ((table == FX_MEDIA && index == FX_HASH) || (table == FX_SETTING && index == FX_LOOKUP))
		return r.hash == group;
	if (table == FX_SETTING) {
		out->key = r.name;
		return group == 0;
	}
	if (index == FX_DIR) {
		out->key = r.name;
		return r.dir == group;
	}
	if (index == FX_TITLE) {
		out->key = r.title;
		return r.kind == group;
	}
	put_be32((uint8_t *)out->key.text, r.track);
	out->key.n = index == FX_TERM ? 8 : 4;
	if (index == FX_ALBUM)
		return r.album == group;
	for (uint32_t i = 0; i < r.terms_n; i++)
		if (r.terms[i] == group)
			return true;
	return false;
}

static void groups_touch(struct fx_model *m, unsigned table, uint64_t id, uint32_t version,
			 uint64_t commit)
{
	struct fx_entry e;
	for (unsigned x = 0; x < fx_tables[table].indexes_n; x++)
		for (uint32_t g = 0; g < FX_GROUPS; g++)
			if (model_entry(table, x, g, id, version, &e))
				m->group_commit[table][x][g] = commit;
}

void fx_model_put(struct fx_model *m, unsigned table, uint64_t id, uint32_t version,
		  uint64_t commit)
{
	if (m->version[table][id])
		groups_touch(m, table, id, m->version[table][id], commit);
	if (version)
		groups_touch(m, table, id, version, commit);
	m->version[table][id] = version;
	if (m->next_id[table] < id + 1)
		m->next_id[table] = id + 1;
}

static int entry_order(const void *a, const void *b)
{
	const struct fx_entry *x = a, *y = b;
	int c = span_cmp(text_span(&x->key), text_span(&y->key));
	if (c != 0)
		return c;
	return x->id < y->id ? -1 : x->id > y->id;
}

static size_t model_list(const struct fx_model *m, unsigned table, unsigned index, uint32_t group,
			 struct fx_entry out[FX_IDS])
{
	size_t n = 0;
	for (uint64_t id = 1; id < FX_IDS; id++)
		if (m->version[table][id] &&
		    model_entry(table, index, group, id, m->version[table][id], &out[n]))
			n++;
	qsort(out, n, sizeof *out, entry_order);
	return n;
}

/* ---- comparing ---- */

static bool row_same(const struct db_snap *sn, unsigned table, uint64_t id, uint32_t version)
{
	struct fb_table t;
	enum err e = db_get(sn, table, id, &t);
	if (!version)
		return e == ERR_NOTFOUND;
	if (e != ERR_OK)
		return false;
	struct fx_row r = { 0 };
	row_make(id, version, &r);
	if (table == FX_SETTING)
		return setting_id(t) == id && span_eq(setting_value(t), span_str(r.path));
	return media_file_id(t) == id && span_eq(media_file_path(t), span_str(r.path)) &&
	       span_eq(media_file_title(t), text_span(&r.title));
}

static bool group_same(const struct db_snap *sn, const struct fx_model *m, unsigned table,
		       unsigned index, uint32_t group)
{
	static struct fx_entry want[FX_IDS];
	size_t n = model_list(m, table, index, group, want);
	if (db_count(sn, table, index, group) != n)
		return false;
	if (db_group_commit(sn, table, index, group) != m->group_commit[table][index][group])
		return false;
	struct db_cursor c;
	db_seek(&c, sn, table, index, group, 0);
	uint8_t scratch[DB_KEY_BYTES_MAX];
	for (size_t i = 0; i < n; i++) {
		uint64_t id;
		struct span key;
		if (db_cursor_offset(&c) != i || !db_next_key(&c, &id, &key, scratch))
			return false;
		if (id != want[i].id || !span_eq(key, text_span(&want[i].key)))
			return false;
	}
	uint64_t id;
	return !db_next(&c, &id);
}

bool fx_same(const struct db_snap *sn, const struct fx_model *m)
{
	for (unsigned t = 0; t < FX_TABLES; t++) {
		uint64_t live = 0;
		for (uint64_t id = 1; id < FX_IDS; id++) {
			live += m->version[t][id] != 0;
			if (!row_same(sn, t, id, m->version[t][id]))
				return false;
		}
		if (db_rows(sn, t) != live)
			return false;
		for (unsigned x = 0; x < fx_tables[t].indexes_n; x++)
			for (uint32_t g = 0; g < FX_GROUPS; g++)
				if (!group_same(sn, m, t, x, g))
					return false;
	}
	return db_snap_commit(sn) == m->commit;
}

/* Pages and keys: every listing again from a random offset and from a random key. */
static void seeks_expect(const struct db_snap *sn, const struct fx_model *m, unsigned t, unsigned x,
			 uint32_t g)
{
	static struct fx_entry want[FX_IDS];
	size_t n = model_list(m, t, x, g, want);
	struct db_cursor c;
	uint64_t id;
	size_t at = test_random() % (n + 2);
	db_seek(&c, sn, t, x, g, at);
	EXPECT_U64(at < n ? at : n, db_cursor_offset(&c));
	for (size_t i = at; i < n; i++) {
		EXPECT(db_next(&c, &id));
		EXPECT_U64(want[i].id, id);
	}
	EXPECT(!db_next(&c, &id));

	struct fx_entry probe = { 0 };
	if (n && test_random() % 2)
		probe.key = want[test_random() % n].key;
	else
		text_make(&probe.key, test_random(), 30);
	for (at = 0; at < n && entry_order(&want[at], &probe) < 0;)
		at++;
	uint8_t kb = fx_tables[t].indexes[x].key_bytes;
	if (kb < 12 && probe.key.n != kb)
		return; /* such keys are padded: compared in the model test by their own */
	db_seek_key(&c, sn, t, x, g, text_span(&probe.key));
	EXPECT_U64(at, db_cursor_offset(&c));
	if (at < n) {
		EXPECT(db_next(&c, &id));
		EXPECT_U64(want[at].id, id);
	}
}

static bool is_row(const struct db_row *r, unsigned table, uint64_t id, uint32_t version)
{
	struct fx_row want = { 0 };
	row_make(id, version, &want);
	return r->id == id && r->row.pos != 0 &&
	       span_eq(table == FX_SETTING ? setting_value(r->row) : media_file_path(r->row),
		       span_str(want.path));
}

/* Rows many at once, one by one between, and the counts of all groups in any order. */
static void batches_expect(const struct db_snap *sn, const struct fx_model *m, unsigned t,
			   unsigned x, uint32_t g)
{
	static struct fx_entry want[FX_IDS];
	size_t n = model_list(m, t, x, g, want), at = test_random() % (n + 1);
	struct db_row rows[DB_ROWS_AT_ONCE];
	struct db_cursor c;
	uint64_t id;
	db_seek(&c, sn, t, x, g, at);
	while (at < n) {
		if (test_random() % 4 == 0) {
			EXPECT(db_next(&c, &id));
			EXPECT_U64(want[at++].id, id);
			continue;
		}
		size_t asked = 1 + test_random() % (2 * DB_ROWS_AT_ONCE);
		size_t got = db_next_rows(&c, rows, asked);
		EXPECT_U64(MIN(MIN(asked, (size_t)DB_ROWS_AT_ONCE), n - at), got);
		for (size_t i = 0; i < got; i++, at++)
			EXPECT(is_row(&rows[i], t, want[at].id, m->version[t][want[at].id]));
		EXPECT_U64(at, db_cursor_offset(&c));
	}
	EXPECT_U64(0, db_next_rows(&c, rows, DB_ROWS_AT_ONCE));

	uint32_t groups[3 * FX_GROUPS];
	uint64_t counts[3 * FX_GROUPS];
	for (size_t i = 0; i < 3 * FX_GROUPS; i++)
		groups[i] = (uint32_t)(test_random() % (FX_GROUPS + 2));
	db_counts(sn, t, x, groups, 3 * FX_GROUPS, counts);
	for (size_t i = 0; i < 3 * FX_GROUPS; i++)
		EXPECT_U64(groups[i] < FX_GROUPS ? model_list(m, t, x, groups[i], want) : 0,
			   counts[i]);
}

/* By id, those that are not there too. */
static void ids_expect(const struct db_snap *sn, const struct fx_model *m, unsigned t)
{
	struct db_row rows[3 * DB_ROWS_AT_ONCE];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		rows[i].id = test_random() % FX_IDS;
	db_get_rows(sn, t, rows, ARRAY_LEN(rows));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t version = rows[i].id ? m->version[t][rows[i].id] : 0;
		EXPECT(version ? is_row(&rows[i], t, rows[i].id, version) : rows[i].row.pos == 0);
	}
}

static void rows_expect(const struct db_snap *sn, const struct fx_model *m, unsigned t)
{
	uint64_t from = 0, id = 0;
	struct fb_table row;
	for (uint64_t want = 1; want < FX_IDS; want++) {
		if (!m->version[t][want])
			continue;
		EXPECT_OK(db_row_from(sn, t, from, &id, &row));
		EXPECT_U64(want, id);
		from = id + 1;
	}
	EXPECT_ERR(ERR_NOTFOUND, db_row_from(sn, t, from, &id, &row));
}

void fx_expect(const struct db_snap *sn, const struct fx_model *m)
{
	EXPECT_U64(m->commit, db_snap_commit(sn));
	for (unsigned t = 0; t < FX_TABLES; t++) {
		for (uint64_t id = 1; id < FX_IDS; id++)
			EXPECT(row_same(sn, t, id, m->version[t][id]));
		for (unsigned x = 0; x < fx_tables[t].indexes_n; x++) {
			for (uint32_t g = 0; g < FX_GROUPS; g++) {
				static struct fx_entry want[FX_IDS];
				EXPECT_U64(model_list(m, t, x, g, want), db_count(sn, t, x, g));
				EXPECT_U64(m->group_commit[t][x][g], db_group_commit(sn, t, x, g));
				EXPECT(group_same(sn, m, t, x, g));
				seeks_expect(sn, m, t, x, g);
				batches_expect(sn, m, t, x, g);
			}
		}
		rows_expect(sn, m, t);
		ids_expect(sn, m, t);
	}
	EXPECT(fx_same(sn, m));
}

void fx_print_finding(void *ctx, const char *line)
{
	(void)ctx;
	printf("check: %s\n", line);
}

void fx_expect_sound(struct db *db)
{
	EXPECT_OK(db_check(db, fx_print_finding, NULL));
}

/* ---- driving ---- */

struct db_options fx_options(const char *dir)
{
	return (struct db_options){ .dir = dir, .tables = fx_tables, .tables_n = FX_TABLES };
}

struct db *fx_open(const char *dir)
{
	struct db_options o = fx_options(dir);
	struct err_info info = { 0 };
	struct db *db = NULL;
	enum err e = db_open(&o, &db, &info);
	if (e != ERR_OK)
		printf("db_open: %s\n", info.text);
	EXPECT_OK(e);
	return db;
}

void fx_closep(struct db **db)
{
	db_close(*db);
	*db = NULL;
}

/* One change to a row that this transaction has not touched. */
static enum err random_change(struct db_txn *txn, struct fx_model *m,
			      bool touched[FX_TABLES][FX_IDS])
{
	unsigned t = test_random() % 4 == 0 ? FX_SETTING : FX_MEDIA;
	uint64_t commit = db_txn_commit_number(txn);
	uint64_t id = 1 + test_random() % (FX_IDS - 1);
	if (test_random() % 3 == 0) {
		uint64_t want = m->next_id[t] ? m->next_id[t] : 1;
		id = db_txn_new_id(txn, t);
		EXPECT_U64(want, id);
		m->next_id[t] = id + 1;
		if (id >= FX_IDS)
			return ERR_OK; /* used up and never to come back */
	}
	if (touched[t][id])
		return ERR_OK;
	if (test_random() % 3 == 0) {
		enum err e = db_txn_remove(txn, t, id);
		if (!m->version[t][id]) {
			EXPECT_ERR(ERR_NOTFOUND, e);
			return ERR_OK;
		}
		touched[t][id] = true;
		fx_model_put(m, t, id, 0, commit);
		return e;
	}
	touched[t][id] = true;
	uint32_t version = 1 + (uint32_t)(test_random() % 1000);
	fx_model_put(m, t, id, version, commit);
	return fx_put(txn, t, id, version);
}

/* What is pending goes to the log, so that a transaction that is given up then leaves chunks there.
 */
static enum err txn_flush_view(struct db_txn *txn)
{
	struct db_snap *view = NULL;
	enum err e = db_txn_view(txn, &view);
	if (e == ERR_OK)
		db_txn_view_end(txn, view);
	return e;
}

enum err fx_random_txn(struct db *db, struct fx_model *m, unsigned changes_max)
{
	struct fx_model next = *m;
	struct db_txn *txn = NULL;
	bool touched[FX_TABLES][FX_IDS] = { 0 };
	enum err e = db_txn_begin(db, &txn);
	if (e != ERR_OK)
		return e;
	next.commit = db_txn_commit_number(txn);
	uint64_t n = 1 + test_random() % changes_max;
	for (uint64_t i = 0; i < n && e == ERR_OK; i++) {
		e = random_change(txn, &next, touched);
		if (e == ERR_OK &&
		    test_random() % 16 == 0) { /* what was touched may change again */
			e = txn_flush_view(txn);
			memset(touched, 0, sizeof touched);
		}
	}
	if (e != ERR_OK || test_random() % 10 == 0) {
		db_txn_abort(txn);
		return e;
	}
	e = db_txn_commit(txn);
	if (e == ERR_OK)
		*m = next;
	return e;
}
