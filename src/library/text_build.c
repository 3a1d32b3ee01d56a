/* SPDX-License-Identifier: MIT */
/* One pass over the indexes in the order of a Search's answer; a block goes out when it is full.
 *
 * Values that many rows share go to dictionaries. What is remembered of those is bounded: a value
 * whose memory was taken by another is written a second time, which costs room and nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/blocks.h"
#include "base/fd.h"
#include "library/containers.h"
#include "library/objects.h"
#include "library/search.h"
#include "library/tables.h"
#include "library/text_build.h"
#include "library/text_column.h"
#include "schema/media_fb.h"

#define FOLDED_MAX (2 * SEARCH_TEXT_MAX + 2) /* of one value, with its role and its NUL */
#define ENTRY_MAX ((SEARCH_VALUES_MAX + 2) * FOLDED_MAX)
#define ROWS_TEXT_MAX (TEXT_BLOCK_TEXT_BYTES + FOLDED_MAX)
#define DICT_TEXT_BYTES (32u << 10) /* a block of a dictionary ends when its text is that long */
#define DICT_TEXT_MAX (DICT_TEXT_BYTES + ENTRY_MAX)
#define MEMORY_MIN 1024u
#define MEMORY_MAX 32768u
#define BUILD_FILE "text.tmp" /* one builds at a time */

struct out_block {
	uint32_t kind, n, text_n, first;
	uint32_t text_bytes; /* with so much text it ends */
	char *text;
	uint32_t ids[TEXT_BLOCK_ROWS], ends[TEXT_BLOCK_ROWS];
};

struct build {
	const struct db_snap *sn;
	_Atomic bool *stop;
	int fd;
	uint64_t off;
	enum err err;
	struct out_block rows, odd, dicts[TEXT_DICTS_N];
	uint32_t numbers[TEXT_DICTS_N][TEXT_BLOCK_ROWS]; /* of the rows */
	char rows_text[ROWS_TEXT_MAX], dict_text[TEXT_DICTS_N][DICT_TEXT_MAX];
	char entry[ENTRY_MAX];
	struct disk_text_block *blocks;
	uint32_t blocks_n, blocks_cap;
	uint32_t memory_n; /* a power of two */
	uint64_t hashes[MEMORY_MAX];
	uint32_t hash_numbers[MEMORY_MAX]; /* 0: free */
};

/* ---- blocks ---------------------------------------------------------------------------------- */

static void put(struct build *b, const void *p, size_t n, XXH3_state_t *hash)
{
	if (b->err == ERR_OK)
		b->err = fd_pwrite_all(b->fd, span_of(p, n), b->off);
	b->off += n;
	if (hash)
		XXH3_64bits_update(hash, p, n);
}

static struct disk_text_block *block_new(struct build *b)
{
	if (b->blocks_n == b->blocks_cap) {
		uint32_t cap = b->blocks_cap ? b->blocks_cap * 2 : 64;
		void *p = realloc(b->blocks, cap * sizeof *b->blocks);
		if (!p) {
			b->err = ERR_NOMEM;
			return NULL;
		}
		b->blocks = p;
		b->blocks_cap = cap;
	}
	return &b->blocks[b->blocks_n++];
}

/** Write the block and begin the next one of its kind. */
static void block_out(struct build *b, struct out_block *o)
{
	static const char zeros[8];
	if (o->n == 0 || b->err != ERR_OK)
		return;
	struct disk_text_block *d = block_new(b);
	XXH3_state_t *hash = XXH3_createState();
	if (!d || !hash) {
		b->err = ERR_NOMEM;
		XXH3_freeState(hash);
		return;
	}
	put(b, zeros, (size_t)(-b->off & 7), NULL);
	XXH3_64bits_reset_withSeed(hash, b->off);
	d->off = b->off;
	if (o->kind < TEXT_SECTIONS_N || o->kind == TEXT_ODD)
		put(b, o->ids, o->n * sizeof *o->ids, hash);
	if (o->kind != TEXT_ODD)
		put(b, o->ends, o->n * sizeof *o->ends, hash);
	for (unsigned k = 0; o->kind < TEXT_SECTIONS_N && k < text_sections[o->kind].dicts_n; k++)
		put(b, b->numbers[k], o->n * sizeof *b->numbers[k], hash);
	put(b, o->text, o->text_n, hash);
	d->bytes = (uint32_t)(b->off - d->off);
	d->kind = o->kind;
	d->n = o->kind == TEXT_ODD ? o->n / 2 : o->n;
	d->first = o->first;
	d->hash = XXH3_64bits_digest(hash);
	XXH3_freeState(hash);
	o->first += d->n;
	o->n = o->text_n = 0;
}

static void odd_add(struct build *b, uint32_t table, uint64_t id)
{
	struct out_block *o = &b->odd;
	if (o->first + o->n / 2 >= TEXT_ODD_MAX)
		b->err = ERR_LIMIT;
	o->ids[o->n++] = table;
	o->ids[o->n++] = (uint32_t)id;
	if (o->n + 2 > TEXT_BLOCK_ROWS)
		block_out(b, o);
}

/* ---- dictionaries ---------------------------------------------------------------------------- */

static size_t fold_value(char *out, struct span value)
{
	size_t n = library_fold(value, out, FOLDED_MAX - 2);
	out[n] = '\0';
	return n + 1;
}

/** The number of b->entry in a dictionary. */
static uint32_t dict_number(struct build *b, enum text_dict dict, size_t n)
{
	struct out_block *o = &b->dicts[dict];
	if (n == 0)
		return 0;
	uint64_t hash = XXH3_64bits_withSeed(b->entry, n, dict);
	size_t slot = hash & (b->memory_n - 1);
	if (b->hash_numbers[slot] && b->hashes[slot] == hash)
		return b->hash_numbers[slot];
	memcpy(o->text + o->text_n, b->entry, n);
	o->text_n += (uint32_t)n;
	o->ends[o->n++] = o->text_n;
	uint32_t number = o->first + o->n;
	b->hashes[slot] = hash;
	b->hash_numbers[slot] = number;
	if (o->n == TEXT_BLOCK_ROWS || o->text_n >= o->text_bytes)
		block_out(b, o);
	return number;
}

struct role_value {
	struct span text;
	uint8_t roles;
};

static unsigned role_add(struct role_value *values, unsigned n, struct span text, uint8_t role)
{
	for (unsigned i = 0; i < n; i++) {
		if (span_eq(values[i].text, text)) {
			values[i].roles |= role;
			return n;
		}
	}
	values[n] = (struct role_value){ text, role };
	return n + 1;
}

/** All names of an object in one entry: one name mostly has all roles. */
static uint32_t artists_number(struct build *b, const struct object *o)
{
	static const struct {
		enum search_field field;
		uint8_t role;
	} fields[] = { { SEARCH_CREATOR, TEXT_ROLE_CREATOR },
		       { SEARCH_ARTIST, TEXT_ROLE_ARTIST },
		       { SEARCH_ALBUM_ARTIST, TEXT_ROLE_ALBUM_ARTIST } };
	struct role_value values[SEARCH_VALUES_MAX + 3];
	struct span text;
	unsigned values_n = 0;
	for (size_t f = 0; f < ARRAY_LEN(fields); f++)
		for (unsigned k = 0;
		     values_n < ARRAY_LEN(values) && search_value(o, fields[f].field, k, &text);
		     k++)
			values_n = role_add(values, values_n, text, fields[f].role);
	size_t n = 0;
	for (unsigned i = 0; i < values_n && n + FOLDED_MAX <= sizeof b->entry; i++) {
		b->entry[n++] = (char)values[i].roles;
		n += fold_value(b->entry + n, values[i].text);
	}
	return dict_number(b, TEXT_ARTISTS, n);
}

static uint32_t values_number(struct build *b, enum text_dict dict, enum search_field field,
			      const struct object *o)
{
	struct span text;
	size_t n = 0;
	for (unsigned k = 0; search_value(o, field, k, &text); k++) {
		b->entry[n++] = 1;
		n += fold_value(b->entry + n, text);
	}
	return dict_number(b, dict, n);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/** The object of a row, as far as it is judged by its texts; false: it cannot be found. */
static bool describe(uint32_t section, uint64_t id, struct fb_table row, struct object *out)
{
	static const enum id_kind kinds[TEXT_SECTIONS_N] = { [TEXT_ARTIST_TERMS] = ID_ARTIST,
							     [TEXT_ALBUM_ROWS] = ID_ALBUM,
							     [TEXT_GENRE_TERMS] = ID_GENRE,
							     [TEXT_DIRECTORIES] = ID_DIRECTORY };
	if (text_sections[section].table == TABLE_MEDIA)
		return item_describe(row, out);
	if (section == TEXT_DIRECTORIES && !directory_live(row))
		return false;
	struct container c = { .id = object_id_container(kinds[section], (uint32_t)id),
			       .row_id = id,
			       .row = row };
	*out = (struct object){ .kind = OBJECT_CONTAINER };
	container_describe(&c, out);
	return true;
}

/* Where a row that is not here belongs is found by the keys of its neighbours' folded titles: what
 * sorts by anything else does not belong into the column. */
static bool sorts_like(const char *folded, size_t n, struct span key)
{
	uint8_t mine[COLLATE_KEY_MAX];
	return span_eq(span_of(mine, library_collate_key(span_of(folded, n), mine)), key);
}

static void add_row(struct build *b, uint64_t id, struct fb_table row, const struct span *key)
{
	struct out_block *o = &b->rows;
	const struct text_section *s = &text_sections[o->kind];
	struct object object;
	struct span title = { NULL, 0 };
	if (!describe(o->kind, id, row, &object))
		return;
	(void)search_value(&object, SEARCH_TITLE, 0, &title);
	char *text = o->text + o->text_n;
	size_t n = fold_value(text, title);
	if (key && !sorts_like(text, n - 1, *key)) {
		odd_add(b, s->table, id);
		return;
	}
	o->ids[o->n] = (uint32_t)id;
	o->text_n += (uint32_t)n;
	o->ends[o->n] = o->text_n;
	if (s->dicts_n > TEXT_ARTISTS)
		b->numbers[TEXT_ARTISTS][o->n] = artists_number(b, &object);
	if (s->dicts_n > TEXT_ALBUMS)
		b->numbers[TEXT_ALBUMS][o->n] =
			values_number(b, TEXT_ALBUMS, SEARCH_ALBUM, &object);
	if (s->dicts_n > TEXT_GENRES)
		b->numbers[TEXT_GENRES][o->n] =
			values_number(b, TEXT_GENRES, SEARCH_GENRE, &object);
	o->n++;
	if (o->n == TEXT_BLOCK_ROWS || o->text_n >= o->text_bytes)
		block_out(b, o);
}

static bool go_on(struct build *b)
{
	/* relaxed: only has to be seen some time */
	if (b->err == ERR_OK && atomic_load_explicit(b->stop, memory_order_relaxed))
		b->err = ERR_CLOSED;
	return b->err == ERR_OK;
}

static void add_group(struct build *b, const struct text_section *s)
{
	uint8_t scratch[DB_KEY_BYTES_MAX];
	struct db_cursor c;
	struct fb_table row;
	struct span key;
	uint64_t id;
	db_seek(&c, b->sn, s->table, s->index, s->group, 0);
	while (go_on(b) && db_next_key(&c, &id, &key, scratch))
		if (db_get(b->sn, s->table, id, &row) == ERR_OK)
			add_row(b, id, row, &key);
}

static void add_table(struct build *b, const struct text_section *s)
{
	struct fb_table row;
	uint64_t id = 0;
	for (uint64_t from = 0; go_on(b); from = id + 1) {
		enum err e = db_row_from(b->sn, s->table, from, &id, &row);
		if (e == ERR_NOTFOUND)
			return;
		if (e == ERR_OK)
			add_row(b, id, row, NULL);
	}
}

static void add_section(struct build *b, uint32_t kind)
{
	b->rows.kind = kind;
	b->rows.first = 0;
	if (kind == TEXT_DIRECTORIES)
		add_table(b, &text_sections[kind]);
	else
		add_group(b, &text_sections[kind]);
	block_out(b, &b->rows);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int block_cmp(const void *a, const void *b)
{
	const struct disk_text_block *x = a, *y = b;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->first > y->first) - (x->first < y->first);
}

/* Nothing is synced: a file that a power failure tore fails its hashes and is made again. */
static void finish(struct build *b, const uint8_t uuid[16])
{
	static const char zeros[8];
	struct db_mark mark;
	db_snap_mark(b->sn, &mark);
	qsort(b->blocks, b->blocks_n, sizeof *b->blocks, block_cmp);
	put(b, zeros, (size_t)(-b->off & 7), NULL);
	size_t n = b->blocks_n * sizeof *b->blocks;
	struct disk_text_head head = {
		.version = TEXT_VERSION,
		.blocks_n = b->blocks_n,
		.commit = mark.commit,
		.segment = mark.segment,
		.offset = mark.offset,
		.blocks_off = b->off,
		.blocks_hash = XXH3_64bits(b->blocks, n),
	};
	memcpy(head.magic, TEXT_MAGIC, sizeof head.magic);
	memcpy(head.uuid, uuid, sizeof head.uuid);
	head.hash = XXH3_64bits(&head, offsetof(struct disk_text_head, hash));
	if (n)
		put(b, b->blocks, n, NULL);
	b->off = 0;
	put(b, &head, sizeof head, NULL);
}

static enum err build_all(struct build *b, const uint8_t uuid[16])
{
	uint64_t rows_n = db_rows(b->sn, TABLE_MEDIA);
	for (b->memory_n = MEMORY_MIN; b->memory_n < MEMORY_MAX && b->memory_n < rows_n / 16;)
		b->memory_n *= 2;
	b->off = sizeof(struct disk_text_head);
	b->odd.kind = TEXT_ODD;
	b->rows.text = b->rows_text;
	b->rows.text_bytes = TEXT_BLOCK_TEXT_BYTES;
	for (uint32_t d = 0; d < TEXT_DICTS_N; d++) {
		b->dicts[d].kind = TEXT_DICT + d;
		b->dicts[d].text = b->dict_text[d];
		b->dicts[d].text_bytes = DICT_TEXT_BYTES;
	}
	for (uint32_t kind = 0; kind < TEXT_SECTIONS_N; kind++)
		add_section(b, kind);
	for (uint32_t d = 0; d < TEXT_DICTS_N; d++)
		block_out(b, &b->dicts[d]);
	block_out(b, &b->odd);
	if (go_on(b))
		finish(b, uuid);
	return b->err;
}

enum err text_build(int dir_fd, uint64_t number, const struct db_snap *sn, const uint8_t uuid[16],
		    _Atomic bool *stop)
{
	_Static_assert(sizeof(struct build) <= TEXT_BUILD_BYTES_MAX, "memory");
	char name[32];
	blocks_trim(); /* of the scan before it */
	struct build *b = blocks_alloc_zeroed(sizeof *b);
	if (!b)
		return ERR_NOMEM;
	b->sn = sn;
	b->stop = stop;
	b->fd = openat(dir_fd, BUILD_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		       0600);
	enum err e = b->fd < 0 ? err_from_errno(errno) : build_all(b, uuid);
	text_column_name(number, name);
	if (b->fd >= 0 && close(b->fd) < 0 && e == ERR_OK)
		e = ERR_IO;
	if (e == ERR_OK && renameat(dir_fd, BUILD_FILE, dir_fd, name) < 0)
		e = ERR_IO;
	if (e != ERR_OK && b->fd >= 0)
		unlinkat(dir_fd, BUILD_FILE, 0);
	free(b->blocks);
	blocks_free(b, sizeof *b);
	blocks_trim();
	return e;
}
