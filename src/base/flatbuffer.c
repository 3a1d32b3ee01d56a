/* SPDX-License-Identifier: MIT */
/* The FlatBuffers writer: backward, into the caller's memory; vtables shared per set of fields,
 * texts shared between rows. */
#include "base/flatbuffer.h"

/* Tries before a layout goes without sharing: keeps a full table cheap. */
#define LAYOUT_TRIES 8
/* The format's own limit: offsets are signed 32 bits in places. */
#define BUFFER_BYTES_MAX ((uint32_t)INT32_MAX - 7)
#define HEAD_BYTES 8u /* offset of the root, file identifier */
/* A root table with as many fields as there may be, its vtable, the length of its rows' vector */
#define ROOT_BYTES (8u + 4u + FB_BATCH_FIELDS_MAX * 8u + 4u + 4u + 2u * FB_BATCH_FIELDS_MAX + 4u)

static void put32(uint8_t *at, uint32_t v)
{
	memcpy(at, &v, sizeof v);
}

static void put16(uint8_t *at, uint32_t v)
{
	memcpy(at, &(uint16_t){ (uint16_t)v }, 2);
}

static uint32_t place_of(const struct fb_writer *w, const uint8_t *p)
{
	return (uint32_t)(w->end - p);
}

void fb_begin(struct fb_writer *w, void *buf, uint32_t cap, const char *file_id)
{
	memset(w, 0, sizeof *w);
	w->buf = buf;
	w->floor = w->buf + HEAD_BYTES + 4; /* and padding behind */
	w->end = w->buf + MIN(cap, BUFFER_BYTES_MAX);
	w->end -= (uintptr_t)w->end & 7;
	w->file_id = file_id;
	if (w->end - w->buf < w->floor - w->buf) {
		w->end = w->floor = w->buf;
		w->err = ERR_LIMIT;
	}
	w->p = w->row_p = w->end;
}

/* The head, before all that is written; total size: a multiple of 8. */
static uint8_t *head_write(struct fb_writer *w, uint32_t place)
{
	uint8_t *head = (uint8_t *)((uintptr_t)(w->p - HEAD_BYTES) & ~(uintptr_t)7);
	memset(head, 0, (size_t)(w->p - head));
	put32(head, place_of(w, head) - place);
	if (w->file_id)
		memcpy(head + 4, w->file_id, 4);
	w->p = w->floor = head;
	return head;
}

enum err fb_finish(struct fb_writer *w, uint32_t place, uint32_t *out_n)
{
	if (place == 0)
		return w->err;
	const uint8_t *head = head_write(w, place);
	*out_n = place_of(w, head);
	memmove(w->buf, head, *out_n);
	return ERR_OK;
}

/* ---- strings and vectors --------------------------------------------------------------------- */

uint32_t fb_string_write(struct fb_writer *w, struct span s)
{
	size_t bytes = (4 + s.n + 1 + 3) & ~(size_t)3;
	if (UNLIKELY(!fb_room(w, bytes)))
		return 0;
	uint8_t *p = w->p - bytes;
	put32(p + bytes - 4, 0); /* the NUL and up to three bytes of padding in one store */
	put32(p, (uint32_t)s.n);
	span_copy(p + 4, s);
	w->p = p;
	return place_of(w, p);
}

uint32_t fb_string_write_aligned(struct fb_writer *w, struct span s)
{
	if (UNLIKELY(s.n > BUFFER_BYTES_MAX || !fb_room(w, 4 + s.n + 1 + 7))) {
		w->err = ERR_LIMIT;
		return 0;
	}
	uint8_t *p = (uint8_t *)((uintptr_t)(w->p - s.n - 1) & ~(uintptr_t)7);
	memset(p + s.n, 0, (size_t)(w->p - p) - s.n);
	span_copy(p, s);
	w->p = p - 4;
	put32(w->p, (uint32_t)s.n);
	return place_of(w, w->p);
}

/* A string or a vector of n elements, `bytes` long. */
static inline bool stands_at(const struct fb_writer *w, uint32_t place, const void *v, size_t n,
			     size_t bytes)
{
	const uint8_t *p = w->end - place;
	return place && num_le32(p) == n &&
	       span_eq_inline(span_of(p + 4, bytes), span_of(v, bytes));
}

/* A shared text that is not the newest of its field. */
static uint32_t recent_find(struct fb_writer *w, struct span s)
{
	uint64_t h = s.n;
	if (s.n > FB_SHARED_BYTES_MAX)
		return fb_string_write(w, s);
	if (s.n >= 8) {
		h ^= span_word64(s.p) ^ span_word64(s.p + s.n - 8) * 0xff51afd7ed558ccdull;
	} else {
		for (size_t i = 0; i < s.n; i++)
			h = h << 8 ^ (uint8_t)s.p[i];
	}
	uint32_t *recent = &w->recent[h * 0x9E3779B97F4A7C15ull >> (64 - FB_RECENT_BITS)];
	if (!stands_at(w, *recent, s.p, s.n, s.n))
		*recent = fb_string_write(w, s);
	return *recent;
}

/* What is not found at once is looked for apart, so that what mostly is saves no registers. */
static __attribute__((noinline)) uint32_t string_find(struct fb_writer *w, uint32_t shared,
						      struct span s)
{
	uint32_t place = recent_find(w, s);
	w->last[shared] = s.n <= FB_SHARED_BYTES_MAX ? place : 0;
	return place;
}

uint32_t fb_string_share(struct fb_writer *w, uint32_t shared, struct span s)
{
	uint32_t place = w->last[shared];
	return LIKELY(stands_at(w, place, s.p, s.n, s.n)) ? place : string_find(w, shared, s);
}

uint32_t fb_scalars_write(struct fb_writer *w, const void *v, uint32_t n, uint32_t size)
{
	uint64_t bytes = (uint64_t)n * size;
	if (UNLIKELY(!fb_room(w, 4 + bytes + 7)))
		return 0;
	uintptr_t align = MAX(size, 4);
	uint8_t *p = (uint8_t *)((uintptr_t)(w->p - bytes) & ~(align - 1));
	memset(p + bytes, 0, (size_t)(w->p - p) - bytes);
	memcpy(p, v, bytes);
	w->p = p - 4;
	put32(w->p, n);
	return place_of(w, w->p);
}

uint32_t fb_scalars_share(struct fb_writer *w, uint32_t shared, const void *v, uint32_t n,
			  uint32_t size)
{
	size_t bytes = (size_t)n * size;
	uint32_t place = w->last[shared];
	if (LIKELY(stands_at(w, place, v, n, bytes)))
		return place;
	place = fb_scalars_write(w, v, n, size);
	w->last[shared] = bytes <= FB_SHARED_BYTES_MAX ? place : 0;
	return place;
}

void fb_slot_add(struct fb_writer *w, uint32_t place)
{
	if (UNLIKELY(!fb_room(w, 4)))
		return;
	put32(w->floor, place);
	w->floor += 4;
}

void fb_slot_add_string(struct fb_writer *w, struct span s, bool shared)
{
	fb_slot_add(w, shared ? recent_find(w, s) : fb_string_write(w, s));
}

uint32_t fb_slots_write(struct fb_writer *w, uint8_t *slots)
{
	uint32_t n = (uint32_t)(w->floor - slots) / 4;
	w->floor = slots;
	if (UNLIKELY(!fb_room(w, 4 + 4 * (size_t)n)))
		return 0;
	uint8_t *p = w->p;
	/* from the last on: where there is little room the vector is written over the places */
	for (uint32_t i = n; i-- > 0;)
		p = fb_put_ref(w, p, num_le32(slots + 4 * (size_t)i));
	w->p = fb_put_u32(p, n);
	return place_of(w, w->p);
}

/* ---- tables ---------------------------------------------------------------------------------- */

/* Writes the vtable of this set of fields; its place. */
static uint32_t vtable_write(struct fb_writer *w, const struct fb_table_type *type,
			     uint64_t present)
{
	uint32_t bytes = present ? 4 + 2 * (64 - (uint32_t)__builtin_clzll(present)) : 4;
	uint32_t object = 0;
	for (uint32_t i = 0; i < type->fields_n; i++)
		object += present >> type->fields[i].id & 1 ? type->fields[i].size : 0;
	object = 4 + (uint32_t)num_align_up(object, 4);

	w->p -= num_align_up(bytes, 4);
	memset(w->p, 0, num_align_up(bytes, 4));
	uint32_t off = object;
	for (uint32_t i = 0; i < type->fields_n; i++) {
		const struct fb_field_type *f = &type->fields[i];
		if (!(present >> f->id & 1))
			continue;
		off -= f->size;
		put16(w->p + 4 + 2 * f->id, off);
	}
	put16(w->p, bytes);
	put16(w->p + 2, object);
	return place_of(w, w->p);
}

static uint32_t vtable_get(struct fb_writer *w, const struct fb_table_type *type, uint64_t present)
{
	uint64_t hash = (present ^ (uintptr_t)type) * 0x9E3779B97F4A7C15ull >> 32;

	for (uint32_t i = 0; i < LAYOUT_TRIES; i++) {
		struct fb_layout *l = &w->layouts[(hash + i) % FB_LAYOUTS_MAX];
		if (l->present == present && l->table_type == type)
			return l->vtable;
		if (l->table_type)
			continue;
		*l = (struct fb_layout){ type, present, vtable_write(w, type, present) };
		w->layouts_n++;
		return l->vtable;
	}
	return vtable_write(w, type, present);
}

uint32_t fb_table_end(struct fb_writer *w, const struct fb_table_type *type, uint8_t *p,
		      uint64_t present)
{
	uint8_t *fields = p;
	p = (uint8_t *)((uintptr_t)p & ~(uintptr_t)3);
	if (p != fields) /* what is in that word behind the padding is the table's own */
		put32(p, num_le32(p) & UINT32_MAX << 8 * (fields - p));
	p -= 4;
	w->p = p;
	uint32_t place = place_of(w, p);
	put32(p, vtable_get(w, type, present) - place);
	return LIKELY(w->err == ERR_OK) ? place : 0;
}

/* ---- batches --------------------------------------------------------------------------------- */

static uint8_t *rows_slots(const struct fb_writer *w)
{
	return w->buf + HEAD_BYTES + 4 + ROOT_BYTES;
}

void fb_batch_begin(struct fb_writer *w, void *buf, uint32_t cap, const char *file_id,
		    const struct fb_table_type *root, const uint64_t *fields, uint64_t present)
{
	fb_begin(w, buf, cap, file_id);
	if (w->err == ERR_OK && w->end - w->buf < rows_slots(w) - w->buf)
		w->err = ERR_LIMIT;
	if (w->err != ERR_OK)
		return;
	w->floor = rows_slots(w);
	w->root.type = root;
	w->root.present = present;
	for (uint32_t i = 0; i < root->fields_n; i++)
		w->root.fields[i] = fields[i];
}

void fb_row_end(struct fb_writer *w, uint32_t place)
{
	if (LIKELY(place)) {
		put32(w->floor, place);
		w->floor += 4;
		w->rows_n++;
		return;
	}
	/* nothing of the row stays, so nothing may refer to it either */
	w->p = w->row_p;
	w->floor = rows_slots(w) + 4 * (size_t)w->rows_n;
	w->layouts_n = 0;
	memset(w->layouts, 0, sizeof w->layouts);
	memset(w->last, 0, sizeof w->last);
	memset(w->recent, 0, sizeof w->recent);
}

struct span fb_batch_finish(struct fb_writer *w)
{
	const struct fb_table_type *type = w->root.type;
	if (!type)
		return (struct span){ NULL, 0 };
	w->err =
		ERR_OK; /* a row that found no room is none of the batch's; the rest has its room */
	uint32_t rows = fb_slots_write(w, rows_slots(w));
	w->floor = w->buf + HEAD_BYTES + 4;
	uint8_t *p = fb_table_begin(w, ROOT_BYTES - 4);
	for (uint32_t i = 0; i < type->fields_n; i++) {
		const struct fb_field_type *f = &type->fields[i];
		if (!(w->root.present >> f->id & 1))
			continue;
		if (f->id == 0) {
			p = fb_put_ref(w, p, rows);
			continue;
		}
		p -= f->size;
		memcpy(p, &w->root.fields[f->id], f->size); /* little-endian, as all here */
	}
	uint32_t place = fb_table_end(w, type, p, w->root.present);
	const uint8_t *head = head_write(w, place);
	w->err = ERR_LIMIT;
	return span_of(head, place_of(w, head));
}
