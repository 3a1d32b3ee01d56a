/* SPDX-License-Identifier: MIT */
/* Runs: immutable sorted images of a table's indexes, in memory or in a file, the same bytes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "db/db_priv.h"
#include "db/guard.h"

void run_name(uint64_t number, char out[32])
{
	snprintf(out, 32, "index-%08llu.run", (unsigned long long)number);
}

/* ---- an image, and whether it can be one ---- */

static bool section_fits(const struct disk_run *h, const struct disk_section *s, uint64_t size)
{
	return s->off % 4 == 0 && s->off <= h->bytes && s->n <= (h->bytes - s->off) / size;
}

static bool index_fits(const struct disk_run *h, const struct disk_run_index *x)
{
	uint32_t eb = entry_bytes_of(x->key_bytes);
	bool ok = section_fits(h, &x->groups, sizeof(struct disk_group)) && x->groups.off % 8 == 0;
	for (unsigned sign = 0; sign < 2; sign++)
		ok = ok && section_fits(h, &x->entries[sign], eb) &&
		     section_fits(h, &x->tails[sign], 1) && x->entries[sign].n <= UINT32_MAX;
	return ok;
}

/* Whether the image's header describes an image of this size with the table's indexes. */
static bool header_fits(const struct db *db, const struct disk_run *h, uint64_t bytes)
{
	if (memcmp(h->magic, RUN_MAGIC, sizeof h->magic) != 0 || h->version != FORMAT_VERSION ||
	    memcmp(h->uuid, db->uuid, sizeof h->uuid) != 0 || h->bytes > bytes ||
	    h->bytes < sizeof *h || h->table >= db->tables_n)
		return false;
	const struct db_table_def *def = &db->tables[h->table];
	bool ok = h->indexes_n == def->indexes_n && h->addresses.off % 8 == 0 &&
		  section_fits(h, &h->addresses, 8) && section_fits(h, &h->ids, 4) &&
		  (h->ids.n == 0 || h->ids.n == h->addresses.n) && h->base_id <= DB_ID_MAX &&
		  h->addresses.n <= DB_ID_NONE_LEFT - h->base_id;
	for (unsigned i = 0; ok && i < def->indexes_n; i++)
		ok = h->index[i].key_bytes == def->indexes[i].key_bytes &&
		     index_fits(h, &h->index[i]);
	return ok;
}

static void run_load(struct run *r, const uint8_t *image)
{
	const struct disk_run *h = (const void *)image;
	r->image = image;
	r->table = h->table;
	r->rows_n = h->addresses.n;
	r->base_id = h->base_id;
	r->ids = h->ids.n ? (const void *)(image + h->ids.off) : NULL;
	r->addresses = (const void *)(image + h->addresses.off);
	r->commit_last = h->commit_last;
	r->header_hash = h->hash;
	for (unsigned i = 0; i < h->indexes_n; i++) {
		const struct disk_run_index *x = &h->index[i];
		struct run_index *ix = &r->index[i];
		ix->groups = (const void *)(image + x->groups.off);
		ix->groups_n = x->groups.n;
		ix->key_bytes = x->key_bytes;
		ix->entry_bytes = entry_bytes_of(x->key_bytes);
		for (unsigned sign = 0; sign < 2; sign++) {
			ix->part[sign] = (struct run_part){
				.entries = image + x->entries[sign].off,
				.n = x->entries[sign].n,
				.tails = image + x->tails[sign].off,
				.tails_n = x->tails[sign].n,
			};
		}
	}
}

enum err run_from_image(struct db *db, uint8_t *image, uint64_t bytes, struct run **out)
{
	struct run *r = mem_alloc(&db->mem, sizeof *r);
	if (!r)
		return ERR_NOMEM;
	r->refs = 1;
	r->bytes = bytes;
	run_load(r, image);
	counter_add(&db->count.runs_n, 1);
	*out = r;
	return ERR_OK;
}

static enum err run_map(struct db *db, int fd, struct run *r)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return err_from_errno(errno);
	if (st.st_size < (off_t)sizeof(struct disk_run) || (uint64_t)st.st_size < r->bytes)
		return ERR_CORRUPT;
	const uint8_t *map = guard_map(fd, r->bytes);
	if (!map)
		return ERR_NOMEM;
	const struct disk_run *h = (const void *)map;
	if (h->hash != XXH3_64bits(h, offsetof(struct disk_run, hash)) ||
	    !header_fits(db, h, r->bytes)) {
		guard_unmap(map, r->bytes);
		return ERR_CORRUPT;
	}
	run_load(r, map);
	return ERR_OK;
}

enum err run_open(struct db *db, uint64_t number, uint64_t bytes, uint64_t header_hash,
		  struct run **out)
{
	if (bytes < sizeof(struct disk_run))
		return ERR_CORRUPT;
	struct run *r = mem_alloc(&db->mem, sizeof *r);
	if (!r)
		return ERR_NOMEM;
	r->refs = 1;
	r->number = number;
	r->bytes = bytes;
	char name[32];
	run_name(number, name);
	int fd = db_file_open(db, name, O_RDONLY);
	enum err e = fd < 0 ? err_from_errno(errno) : run_map(db, fd, r);
	db_file_close(db, fd);
	if (e == ERR_OK && header_hash && header_hash != r->header_hash) {
		guard_unmap(r->image, r->bytes);
		e = ERR_CORRUPT;
	}
	if (e == ERR_OK)
		e = run_file_add(db, number);
	if (e != ERR_OK) {
		mem_free(&db->mem, r, sizeof *r);
		return e;
	}
	counter_add(&db->count.runs_n, 1);
	counter_add(&db->count.index_bytes, bytes);
	*out = r;
	return ERR_OK;
}

void run_ref(struct run *r)
{
	r->refs++;
}

void run_unref(struct db *db, struct run *r)
{
	if (!r || --r->refs > 0)
		return;
	counter_add(&db->count.runs_n, (uint64_t)-1);
	if (r->number == 0) {
		mem_free(&db->mem, (void *)(uintptr_t)r->image, r->bytes);
	} else {
		guard_unmap(r->image, r->bytes);
		counter_add(&db->count.index_bytes, (uint64_t)0 - r->bytes);
		for (struct run_file *f = db->files; f; f = f->next)
			if (f->number == r->number)
				f->live = false;
		run_files_sweep(db);
	}
	mem_free(&db->mem, r, sizeof *r);
}

static bool slot_names(const struct slot_state *slot, uint64_t number)
{
	for (uint32_t i = 0; i < slot->runs_n; i++)
		if (slot->runs[i] == number)
			return true;
	return false;
}

enum err run_file_add(struct db *db, uint64_t number)
{
	for (struct run_file *f = db->files; f; f = f->next) {
		if (f->number == number) {
			f->live = true;
			return ERR_OK;
		}
	}
	struct run_file *f = mem_alloc(&db->mem, sizeof *f);
	if (!f)
		return ERR_NOMEM;
	*f = (struct run_file){ .number = number, .live = true, .next = db->files };
	db->files = f;
	return ERR_OK;
}

void run_files_sweep(struct db *db)
{
	struct run_file **at = &db->files;
	while (*at) {
		struct run_file *f = *at;
		/* poisoned: which of its runs the disk's manifest names is not known */
		if (db->read_only || atomic_load(&db->poisoned) || f->live ||
		    slot_names(&db->slots[0], f->number) || slot_names(&db->slots[1], f->number)) {
			at = &f->next;
			continue;
		}
		char name[32];
		run_name(f->number, name);
		(void)db_file_unlink(db, name);
		*at = f->next;
		mem_free(&db->mem, f, sizeof *f);
	}
}

static bool section_sound(const struct run *r, const struct disk_section *s, uint64_t size)
{
	return s->hash == hash_bytes(r->image + s->off, s->n * size, 0);
}

bool run_sound(const struct run *r)
{
	const struct disk_run *h = (const void *)r->image;
	bool ok = section_sound(r, &h->ids, 4) && section_sound(r, &h->addresses, 8);
	for (unsigned i = 0; ok && i < h->indexes_n; i++) {
		const struct disk_run_index *x = &h->index[i];
		ok = section_sound(r, &x->groups, sizeof(struct disk_group));
		for (unsigned sign = 0; ok && sign < 2; sign++)
			ok = section_sound(r, &x->entries[sign], entry_bytes_of(x->key_bytes)) &&
			     section_sound(r, &x->tails[sign], 1);
	}
	return ok;
}

static void section_seal(const struct run *r, struct disk_section *s, uint64_t size)
{
	s->hash = XXH3_64bits(r->image + s->off, s->n * size);
}

void run_seal(const struct run *r, uint64_t number, struct disk_run *out)
{
	memcpy(out, r->image, sizeof *out);
	out->number = number;
	section_seal(r, &out->ids, 4);
	section_seal(r, &out->addresses, 8);
	for (unsigned i = 0; i < out->indexes_n; i++) {
		struct disk_run_index *x = &out->index[i];
		section_seal(r, &x->groups, sizeof(struct disk_group));
		for (unsigned sign = 0; sign < 2; sign++) {
			section_seal(r, &x->entries[sign], entry_bytes_of(x->key_bytes));
			section_seal(r, &x->tails[sign], 1);
		}
	}
	out->hash = XXH3_64bits(out, offsetof(struct disk_run, hash));
}

enum err run_check(struct db *db, struct run *r)
{
	uint64_t lost_n = guard_lost_n();
	if (r->number == 0 || (r->trust == RUN_SOUND && r->lost_n == lost_n))
		return ERR_OK;
	if (r->trust != RUN_BAD && run_sound(r)) {
		r->trust = RUN_SOUND;
		r->lost_n = lost_n; /* of before: a page lost meanwhile brings another check */
		return ERR_OK;
	}
	if (r->trust == RUN_BAD)
		return ERR_CORRUPT;
	r->trust = RUN_BAD;
	char name[32];
	run_name(r->number, name);
	log_warn(LOG_DB,
		 "database \"%s\": index file %s is damaged; opening rebuilds it from the log",
		 db->dir, name);
	if (!db->read_only)
		(void)db_file_unlink(db, name);
	return ERR_CORRUPT;
}

/* ---- looking into it ---- */

void entry_read(const struct run_part *part, uint32_t key_bytes, const uint8_t *p,
		struct entry *out)
{
	out->prefix = p;
	out->id = num_le32(p + key_bytes);
	out->key_n = key_bytes;
	out->tail = NULL;
	if (key_bytes < 12)
		return;
	uint32_t ref = num_le32(p + key_bytes + 4);
	if (ref >= TAIL_SHORT) {
		out->key_n = MIN(ref - TAIL_SHORT, key_bytes);
	} else if ((uint64_t)ref + 2 <= part->tails_n) {
		uint32_t n = num_le16(part->tails + ref);
		out->tail = part->tails + ref + 2;
		/* clamped: a damaged file must not make us read beyond the map */
		out->key_n += (uint32_t)MIN((uint64_t)n, part->tails_n - ref - 2);
	}
}

void entry_at(const struct run_index *ix, unsigned sign, uint64_t i, struct entry *out)
{
	const struct run_part *part = &ix->part[sign];
	entry_read(part, ix->key_bytes, part->entries + i * ix->entry_bytes, out);
}

int entry_cmp(uint32_t key_bytes, const struct entry *a, const struct entry *b)
{
	int c = key_bytes ? memcmp(a->prefix, b->prefix, key_bytes) : 0;
	if (c != 0)
		return c;
	uint32_t an = a->key_n > key_bytes ? a->key_n - key_bytes : 0;
	uint32_t bn = b->key_n > key_bytes ? b->key_n - key_bytes : 0;
	if (an && bn) {
		c = memcmp(a->tail, b->tail, MIN(an, bn));
		if (c != 0)
			return c;
	}
	if (a->key_n != b->key_n)
		return a->key_n < b->key_n ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

/* Like entry_word(), of an entry taken apart. */
static uint64_t word_of(const struct entry *e, uint32_t key_bytes)
{
	if (key_bytes < 8)
		return (uint64_t)(key_bytes ? __builtin_bswap32(num_le32(e->prefix)) : 0) << 32 |
		       e->id;
	return __builtin_bswap64(num_le64(e->prefix));
}

uint64_t entry_lower_bound(const struct run_index *ix, unsigned sign, uint64_t lo, uint64_t hi,
			   const struct entry *e)
{
	const uint8_t *entries = ix->part[sign].entries;
	uint64_t word = word_of(e, ix->key_bytes);
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		uint64_t at = entry_word(entries + mid * ix->entry_bytes, ix->key_bytes);
		bool below = at < word;
		if (UNLIKELY(at == word) && ix->key_bytes >= 8) {
			struct entry m;
			entry_at(ix, sign, mid, &m);
			below = entry_cmp(ix->key_bytes, &m, e) < 0;
		}
		if (below)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Ascending numbers, `stride` bytes apart. */
struct numbers {
	const uint8_t *p;
	size_t stride;
};

static inline uint32_t number_at(struct numbers a, uint64_t i)
{
	return num_le32(a.p + i * a.stride);
}

/* The first of [lo, hi) that is not below `v`, or hi. Nothing in it is guessed by the processor. */
static inline uint64_t numbers_halve(struct numbers a, uint64_t lo, uint64_t hi, uint32_t v)
{
	uint64_t n = hi - lo;
	for (; n > 1; n -= n / 2)
		lo += number_at(a, lo + n / 2 - 1) < v ? n / 2 : 0;
	return n ? lo + (number_at(a, lo) < v) : lo;
}

/* The same, looked for from the place `at` in [lo, hi) outwards. */
static inline uint64_t numbers_gallop(struct numbers a, uint64_t lo, uint64_t hi, uint64_t at,
				      uint32_t v)
{
	uint64_t step = 1;
	if (number_at(a, at) < v) {
		for (lo = at + 1; step < hi - lo && number_at(a, lo + step - 1) < v; step *= 2)
			lo += step;
		return numbers_halve(a, lo, MIN(hi, lo + step), v);
	}
	for (hi = at; step < hi - lo && number_at(a, hi - step) >= v; step *= 2)
		hi -= step;
	return numbers_halve(a, hi - lo > step ? hi - step : lo, hi, v);
}

#define FEW_NUMBERS 64u
#define NEAR_NUMBERS 16u /* so far off is a good guess */
#define GUESSES 3u

/* The first of n that is not below `v`, or n. Many are ids in a row, ids with gaps, or hashes: they
 * lie near a straight line from the first to the last, and near each other there are few gaps. What
 * is guessed from that touches fewer lines of the cache than halving does. */
static inline uint64_t numbers_lower_bound(struct numbers a, uint64_t n, uint32_t v)
{
	if (n == 0)
		return 0;
	uint32_t first = number_at(a, 0), last = number_at(a, n - 1);
	if (v <= first || v > last)
		return v <= first ? 0 : n;
	uint64_t at = v - first, width = last - first;
	if (width != n - 1) {
		if (n <= FEW_NUMBERS)
			return numbers_halve(a, 0, n, v);
		at = MIN(at * (n - 1) / width, n - 1); /* of a damaged file n may be anything */
	}
	for (unsigned i = 0; i < GUESSES; i++) {
		uint32_t found = number_at(a, at);
		if (LIKELY(found == v))
			return at;
		uint64_t next = at + (uint64_t)v - found; /* there, if no number was missing */
		if (next >= n)
			break;
		at = next;
	}
	return numbers_gallop(a, 0, n, at, v);
}

uint64_t run_group_lower_bound(const struct run_index *ix, uint32_t group)
{
	struct numbers groups = { (const uint8_t *)ix->groups, sizeof *ix->groups };
	return numbers_lower_bound(groups, ix->groups_n, group);
}

uint64_t run_group_near(const struct run_index *ix, uint64_t guess, uint32_t group)
{
	struct numbers groups = { (const uint8_t *)ix->groups, sizeof *ix->groups };
	uint64_t n = ix->groups_n, lo = guess - MIN(guess, (uint64_t)NEAR_NUMBERS);
	uint64_t hi = MIN(n, guess + NEAR_NUMBERS);
	bool above = lo == 0 || number_at(groups, lo - 1) < group;
	bool below = hi == n || number_at(groups, hi - 1) >= group;
	if (LIKELY(above && below))
		return numbers_halve(groups, lo, hi, group);
	return numbers_gallop(groups, 0, n, guess, group);
}

uint64_t run_group_find(const struct run_index *ix, uint32_t group)
{
	uint64_t g = run_group_lower_bound(ix, group);
	return g < ix->groups_n && ix->groups[g].group == group ? g : ix->groups_n;
}

void run_group_range(const struct run_index *ix, uint64_t g, unsigned sign, uint64_t *out_lo,
		     uint64_t *out_hi)
{
	uint64_t n = ix->part[sign].n;
	uint64_t lo = MIN((uint64_t)ix->groups[g].start[sign], n);
	uint64_t hi = g + 1 < ix->groups_n ? MIN((uint64_t)ix->groups[g + 1].start[sign], n) : n;
	*out_lo = lo;
	*out_hi = MAX(lo, hi);
}

void run_groups_count(const struct run_index *ix, const uint64_t *wanted, size_t n, int64_t *out)
{
	struct numbers groups = { (const uint8_t *)ix->groups, sizeof *ix->groups };
	uint64_t g = 0, lo, hi;
	if (ix->groups_n == 0)
		return;
	uint32_t first = ix->groups[0].group;
	bool dense = ix->groups[ix->groups_n - 1].group - first == ix->groups_n - 1;
	for (size_t i = 0; i < n; i++) {
		uint32_t group = (uint32_t)(wanted[i] >> 32);
		if (group < first)
			continue;
		g = dense ? group - first : numbers_gallop(groups, g, ix->groups_n, g, group);
		if (g >= ix->groups_n)
			return;
		if (ix->groups[g].group != group)
			continue;
		run_group_range(ix, g, 0, &lo, &hi);
		out[(uint32_t)wanted[i]] += (int64_t)(hi - lo);
		if (ix->part[1].n == 0)
			continue;
		run_group_range(ix, g, 1, &lo, &hi);
		out[(uint32_t)wanted[i]] -= (int64_t)(hi - lo);
	}
}

uint64_t run_id_lower_bound(const struct run *r, uint64_t id)
{
	if (!r->ids) {
		if (id <= r->base_id)
			return 0;
		return MIN(id - r->base_id, r->rows_n);
	}
	struct numbers ids = { (const uint8_t *)r->ids, sizeof *r->ids };
	return id <= DB_ID_MAX ? numbers_lower_bound(ids, r->rows_n, (uint32_t)id) : r->rows_n;
}
