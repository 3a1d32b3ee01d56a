/* SPDX-License-Identifier: MIT */
/* The FlatBuffers writer: forward, into the caller's memory, vtables shared per set of fields. */
#include "base/flatbuffer.h"

/* Tries before a layout goes without sharing: keeps a full table cheap. */
#define LAYOUT_TRIES 8
/* The format's own limit: offsets are signed 32 bits in places. */
#define BUFFER_BYTES_MAX ((uint32_t)INT32_MAX - 7)

void fb_begin(struct fb_writer *w, void *buf, uint32_t cap, const char *file_id)
{
	memset(w, 0, sizeof *w);
	w->buf = buf;
	w->cap = cap < BUFFER_BYTES_MAX ? cap : BUFFER_BYTES_MAX;
	if (w->cap < 8) {
		w->err = ERR_LIMIT;
		return;
	}
	memset(w->buf, 0, 8);
	if (file_id)
		memcpy(w->buf + 4, file_id, 4);
	w->n = 8;
}

/* Zeroes up to the next multiple of 4. */
static uint8_t *pad4(struct fb_writer *w, uint8_t *p)
{
	while ((p - w->buf) & 3)
		*p++ = 0;
	return p;
}

static inline uint8_t *string_write(uint8_t *p, struct span s)
{
	p = fb_put_u32(p, (uint32_t)s.n);
	/* the NUL and up to three bytes of padding in one store; what it writes beyond the
	 * string's last word is within bytes_max and written over by what follows */
	fb_put_u32(p + s.n, 0);
	span_copy(p, s);
	return p + ((s.n + 4) & ~(size_t)3);
}

/* Where the same bytes were written already for refs[..n], the nearest first, or NULL. */
static uint8_t *shared_with(const struct fb_ref *refs, uint32_t n, const struct span *s)
{
	while (n-- > 0)
		if (refs[n].s->p == s->p && refs[n].s->n == s->n)
			return refs[n].at + num_le32(refs[n].at);
	return NULL;
}

void fb_strings_write(struct fb_writer *w, uint8_t *end, const struct fb_ref *refs, uint32_t refs_n)
{
	uint8_t *p = pad4(w, end);
	uint64_t seen = 0; /* a bit per hashed pointer: only those that look known are looked for */

	for (uint32_t i = 0; i < refs_n; i++) {
		const struct span *s = refs[i].s;
		uint64_t bit = 1ull << (((uintptr_t)s->p * 0x9E3779B97F4A7C15ull) >> 58);
		uint8_t *at = UNLIKELY(seen & bit) ? shared_with(refs, i, s) : NULL;
		seen |= bit;
		if (!at) {
			at = p;
			p = string_write(p, *s);
		}
		fb_put_u32(refs[i].at, (uint32_t)(at - refs[i].at));
	}
	w->n = (uint32_t)(p - w->buf);
}

void fb_scalars_write(struct fb_writer *w, uint8_t *at, const void *v, uint32_t n, uint32_t size)
{
	uint8_t *p = w->buf + w->n;
	if (size == 8 &&
	    (w->n & 7) == 0) /* the elements, behind the length, want a multiple of 8 */
		p = fb_put_u32(p, 0);
	fb_put_u32(at, (uint32_t)(p - at));
	p = fb_put_u32(p, n);
	memcpy(p, v, (size_t)n * size);
	p = pad4(w, p + (size_t)n * size);
	w->n = (uint32_t)(p - w->buf);
}

uint32_t fb_slots_write(struct fb_writer *w, uint8_t *at, uint32_t n)
{
	uint8_t *p = w->buf + w->n;
	fb_put_u32(at, (uint32_t)(p - at));
	p = fb_put_u32(p, n);
	memset(p, 0, 4 * (size_t)n);
	w->n += 4 + 4 * n;
	return (uint32_t)(p - w->buf);
}

void fb_string_vector_write(struct fb_writer *w, uint8_t *at, const struct span *v, uint32_t n)
{
	uint32_t slots = fb_slots_write(w, at, n);
	for (uint32_t i = 0; i < n; i++) {
		fb_slot_set(w, slots + 4 * i, w->n);
		w->n = (uint32_t)(string_write(w->buf + w->n, v[i]) - w->buf);
	}
}

/* Writes the vtable of this set of fields at the end of the buffer; returns its position. */
static uint32_t vtable_write(struct fb_writer *w, const struct fb_table_type *type,
			     uint64_t present)
{
	uint32_t pos = w->n;
	uint32_t bytes = present ? 4 + 2 * (64 - (uint32_t)__builtin_clzll(present)) : 4;
	uint8_t *vtable = w->buf + pos;
	uint16_t off = 4;

	memset(vtable, 0, num_align_up(bytes, 4));
	for (uint32_t i = 0; i < type->fields_n; i++) {
		const struct fb_field_type *f = &type->fields[i];
		if (!(present >> f->id & 1))
			continue;
		fb_put_u16(vtable + 4 + 2 * f->id, off);
		off = (uint16_t)(off + f->size);
	}
	fb_put_u16(vtable, (uint16_t)bytes);
	fb_put_u16(vtable + 2, off);
	w->n += (uint32_t)num_align_up(bytes, 4);
	return pos;
}

static uint32_t vtable_get(struct fb_writer *w, const struct fb_table_type *type, uint64_t present)
{
	uint64_t hash = (present ^ (uintptr_t)type) * 0x9E3779B97F4A7C15ull >> 32;

	for (uint32_t i = 0; i < LAYOUT_TRIES; i++) {
		struct fb_layout *l = &w->layouts[(hash + i) % FB_LAYOUTS_MAX];
		if (l->present == present && l->table_type == type)
			return l->vtable_pos;
		if (l->table_type)
			continue;
		*l = (struct fb_layout){ type, present, vtable_write(w, type, present) };
		w->layouts_n++;
		return l->vtable_pos;
	}
	return vtable_write(w, type, present);
}

void fb_table_end(struct fb_writer *w, const struct fb_table_type *type, uint32_t pos,
		  uint64_t present)
{
	fb_put_u32(w->buf + pos, pos - vtable_get(w, type, present));
}

void fb_rows_write(struct fb_writer *w, uint8_t *at, uint32_t rows_cap)
{
	w->vector_pos = fb_slots_write(w, at, rows_cap) - 4;
	w->rows_cap = rows_cap;
	fb_put_u32(w->buf + w->vector_pos, 0);
}

bool fb_row_begin(struct fb_writer *w)
{
	if (w->err == ERR_OK && w->rows_n == w->rows_cap)
		w->err = ERR_LIMIT;
	return w->err == ERR_OK;
}

enum err fb_finish(struct fb_writer *w, uint32_t pos, uint32_t *out_n)
{
	if (pos == 0)
		return w->err;
	fb_put_u32(w->buf, pos);
	*out_n = w->n;
	return ERR_OK;
}
