/* SPDX-License-Identifier: MIT */
/* Records as the engine keeps them: a FlatBuffers batch of {id, number, key, value} per chunk. */
#include "base/json.h"
#include "salverdb/sdb_priv.h"

#define NUMBER_KEY_BYTES 8 /* prefix in an index entry */
#define TEXT_KEY_BYTES 20

/* ---- keys ---- */

static struct span number_key(uint64_t number, uint8_t out[8])
{
	number = __builtin_bswap64(number);
	memcpy(out, &number, 8);
	return span_of(out, 8);
}

struct span key_bytes(const struct table *t, struct sdb_key key, uint8_t scratch[8])
{
	return t->def.key == SDB_KEY_STRING ? span_in(key.text) : number_key(key.number, scratch);
}

void sdb_index_key(struct sdb_keys *out, const void *p, size_t n)
{
	if (n > SDB_KEY_MAX || out->n == SDB_INDEX_KEYS_MAX) {
		out->over = true;
		return;
	}
	out->n++;
	if (out->emit) {
		db_emit(out->emit, out->engine_index, 0, out->id, span_of(p, n));
		return;
	}
	struct span key = arena_dup(out->arena, span_of(n ? p : "", n));
	if (!key.p)
		out->list = NULL;
	else if (out->list)
		out->list[out->list_n++] = (struct index_key){ out->index, key };
}

void sdb_index_number(struct sdb_keys *out, uint64_t number)
{
	uint8_t bytes[8];
	struct span key = number_key(number, bytes);
	sdb_index_key(out, key.p, key.n);
}

enum err record_keys(const struct table *t, const struct sdb_record *record, struct arena *arena,
		     struct index_key *list, unsigned *out_n, unsigned *out_index_over)
{
	struct sdb_keys keys = { .arena = arena, .list = list };
	for (unsigned x = 0; x < t->def.indexes_n; x++) {
		keys.index = x;
		keys.n = 0;
		t->def.indexes[x].keys(record, &keys, t->def.indexes[x].ctx);
		*out_index_over = x;
		if (keys.over)
			return ERR_LIMIT;
	}
	if (!keys.list)
		return ERR_NOMEM;
	*out_n = keys.list_n;
	return ERR_OK;
}

/* ---- values ---- */

bool record_valid(const struct table *t, struct sdb_bytes value)
{
	if (t->def.codec == SDB_JSON)
		return json_is_valid(span_in(value));
	if (t->def.codec == SDB_FLATBUFFER)
		return t->def.verify(value, t->def.verify_ctx);
	return true;
}

/* ---- rows ---- */

static const uint64_t nothing; /* what the value of a record without bytes points to */

void record_of_row(const struct table *t, struct fb_table row, struct sdb_record *out)
{
	struct span key = kv_record_key(row), value = kv_record_value(row);
	*out = (struct sdb_record){ .value = { value.n ? value.p : (const void *)&nothing,
					       value.n } };
	if (t->def.key == SDB_KEY_ID)
		out->key.number = kv_record_id(row);
	else if (t->def.key == SDB_KEY_U64)
		out->key.number = kv_record_number(row);
	else
		out->key.text = sdb_bytes(key.n ? key.p : (const void *)&nothing, key.n);
}

struct kv_record_in record_row(const struct table *t, const struct sdb_record *record)
{
	struct kv_record_in in = { .value = span_in(record->value) };
	if (t->def.key == SDB_KEY_U64)
		in.number = record->key.number;
	else if (t->def.key == SDB_KEY_STRING)
		in.key = span_in(record->key.text);
	return in;
}

static void kv_begin(struct fb_writer *w, void *buf, uint32_t cap, uint64_t commit, int64_t wall_s)
{
	kv_record_batch_begin(w, buf, cap, commit, wall_s);
}

static uint32_t kv_bytes_max(const void *row_in)
{
	return fb_bytes_max((uint64_t)kv_record_in_bytes_max(row_in) + 8);
}

#define KV_INLINE_BYTES_MAX (8 + 8 + 4 + 4 + 4 + 4 + 16) /* fields, offset, padding, vtable */

/* As the generated writer does, but the value begins at a multiple of 8: so that programs can read
 * numbers in it, and FlatBuffers, where they are. */
static uint32_t kv_table_write(struct fb_writer *w, uint64_t id, const struct kv_record_in *in)
{
	uint64_t present = 1; /* a bit per field id; fields stand by falling size, then by id */
	uint32_t value = in->value.n ? fb_string_write_aligned(w, in->value) : 0;
	uint32_t key = in->key.n ? fb_string_write(w, in->key) : 0;
	uint8_t *p = fb_table_begin(w, KV_INLINE_BYTES_MAX);
	if (!p)
		return 0;
	p = fb_put_u64(p, id);
	if (in->number) {
		p = fb_put_u64(p, in->number);
		present |= 1u << 1;
	}
	if (key) {
		p = fb_put_ref(w, p, key);
		present |= 1u << 2;
	}
	if (value) {
		p = fb_put_ref(w, p, value);
		present |= 1u << 3;
	}
	return fb_table_end(w, &kv_record_type, p, present);
}

static void kv_write(struct fb_writer *w, uint64_t id, const void *row_in)
{
	if (fb_row_begin(w))
		fb_row_end(w, kv_table_write(w, id, row_in));
}

static enum err kv_verify(struct span payload, struct fb_vector *out_rows)
{
	struct fb_table root;
	enum err e = kv_record_batch_verify(payload, &root);
	if (e == ERR_OK)
		*out_rows = kv_record_batch_rows(root);
	return e;
}

static struct fb_vector kv_rows(struct span payload)
{
	const uint8_t *p = (const uint8_t *)payload.p;
	return kv_record_batch_rows((struct fb_table){ p, (uint32_t)payload.n, num_le32(p) });
}

static void kv_copy(struct fb_writer *w, struct fb_table row)
{
	const struct kv_record_in in = {
		.id = kv_record_id(row),
		.number = kv_record_number(row),
		.key = kv_record_key(row),
		.value = kv_record_value(row),
	};
	kv_write(w, in.id, &in);
}

static uint64_t kv_id(struct fb_table row)
{
	return kv_record_id(row);
}

/* A row that passes is what sdb_put() would have taken, but for the uniqueness of its keys. */
static enum err kv_verify_rows(const struct db_table_def *def, struct fb_vector rows)
{
	const struct table *t = def->ctx;
	for (uint32_t i = 0; i < rows.n; i++) {
		struct sdb_record record;
		record_of_row(t, fb_vector_table(rows, i), &record);
		if (record.key.text.n > SDB_KEY_MAX || record.value.n > SDB_VALUE_MAX ||
		    (uintptr_t)record.value.p % 8 != 0 || !record_valid(t, record.value))
			return ERR_CORRUPT;
	}
	return ERR_OK;
}

static void kv_extract(const struct db_row *rows, size_t n, struct db_emit *out)
{
	const struct table *t = db_emit_table(out)->ctx;
	for (size_t i = 0; i < n; i++) {
		struct sdb_record record;
		uint8_t scratch[8];
		record_of_row(t, rows[i].row, &record);
		if (t->key_indexes_n)
			db_emit(out, 0, 0, rows[i].id, key_bytes(t, record.key, scratch));
		for (unsigned x = 0; x < t->def.indexes_n; x++) {
			struct sdb_keys keys = { .emit = out,
						 .id = rows[i].id,
						 .engine_index = t->key_indexes_n + x };
			t->def.indexes[x].keys(&record, &keys, t->def.indexes[x].ctx);
		}
	}
}

void table_init(struct table *t, const struct sdb_table *def, struct db_table_def *out)
{
	*t = (struct table){ .def = *def };
	if (def->key != SDB_KEY_ID)
		t->indexes[t->key_indexes_n++] =
			(struct db_index_def){ "key", def->key == SDB_KEY_U64 ? NUMBER_KEY_BYTES
									      : TEXT_KEY_BYTES };
	for (unsigned x = 0; x < def->indexes_n; x++) {
		t->indexes[t->key_indexes_n + x] =
			(struct db_index_def){ def->indexes[x].name, TEXT_KEY_BYTES };
		t->has_unique |= def->indexes[x].unique;
	}
	*out = (struct db_table_def){
		.name = def->name,
		.indexes = t->indexes,
		.indexes_n = (uint8_t)(t->key_indexes_n + def->indexes_n),
		.batch_begin = kv_begin,
		.row_bytes_max = kv_bytes_max,
		.write_row = kv_write,
		.copy_row = kv_copy,
		.verify = kv_verify,
		.rows = kv_rows,
		.row_id = kv_id,
		.extract = kv_extract,
		.ctx = t,
		.verify_rows = kv_verify_rows,
	};
}
