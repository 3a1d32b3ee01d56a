/* SPDX-License-Identifier: MIT */
/* Copying a table from one buffer to another, by its type: what a newer schema has added and this
 * program does not know stays behind. */
#include "base/flatbuffer.h"

#define TABLE_BYTES (16 + 8 + 2 * FB_FIELDS_MAX) /* offset, padding; a vtable */

static const uint8_t *field_of(struct fb_table t, const struct fb_field_type *f)
{
	return fb_field(t, 4 + 2u * f->id);
}

static uint32_t text_copy(struct fb_writer *w, const struct fb_field_type *f, struct fb_table t,
			  const uint32_t *places)
{
	struct span s = fb_get_bytes(t, 4 + 2u * f->id);
	if (f->like)
		return fb_string_like(w, s, fb_get_bytes(t, 4 + 2u * (f->like - 1u)),
				      places[f->like - 1]);
	return f->shared ? fb_string_share(w, f->shared - 1u, s) : fb_string_write(w, s);
}

static uint32_t vector_copy(struct fb_writer *w, const struct fb_field_type *f, struct fb_vector v)
{
	uint8_t *slots = w->floor;
	if (f->kind == FB_SCALARS && f->shared)
		return fb_scalars_share(w, f->shared - 1u, v.buf + v.pos, v.n, f->element_size);
	if (f->kind == FB_SCALARS)
		return fb_scalars_write(w, v.buf + v.pos, v.n, f->element_size);
	for (uint32_t i = 0; i < v.n; i++) {
		if (f->kind == FB_TABLES)
			fb_slot_add(w, fb_table_copy(w, f->table, fb_vector_table(v, i)));
		else
			fb_slot_add_string(w, fb_vector_string(v, i), f->shared);
	}
	return fb_slots_write(w, slots);
}

/* What the field refers to; its place. */
static uint32_t field_copy(struct fb_writer *w, const struct fb_field_type *f, struct fb_table t,
			   const uint32_t *places)
{
	unsigned slot = 4 + 2u * f->id;
	if (f->kind == FB_STRING || (f->kind == FB_SCALARS && f->element_size == 1))
		return text_copy(w, f, t, places);
	if (f->kind == FB_TABLE)
		return fb_table_copy(w, f->table, fb_get_table(t, slot));
	return vector_copy(w, f, fb_get_vector(t, slot));
}

uint32_t fb_table_copy(struct fb_writer *w, const struct fb_table_type *type, struct fb_table t)
{
	uint32_t places[FB_FIELDS_MAX], bytes_max = TABLE_BYTES; /* places by id */
	uint64_t present = 0;
	for (uint32_t i = 0; i < type->fields_n; i++) {
		const struct fb_field_type *f = &type->fields[i];
		if (!field_of(t, f))
			continue;
		present |= UINT64_C(1) << f->id;
		bytes_max += f->size;
		if (f->kind != FB_SCALAR)
			places[f->id] = field_copy(w, f, t, places);
	}
	uint8_t *p = fb_table_begin(w, bytes_max);
	for (uint32_t i = 0; i < type->fields_n && p; i++) {
		const struct fb_field_type *f = &type->fields[i];
		if (!(present >> f->id & 1))
			continue;
		if (f->kind == FB_SCALAR)
			p = memcpy(p - f->size, field_of(t, f), f->size);
		else
			p = fb_put_ref(w, p, places[f->id]);
	}
	return p ? fb_table_end(w, type, p, present) : 0;
}

void fb_row_copy(struct fb_writer *w, const struct fb_table_type *type, struct fb_table row)
{
	w->alike = 0;
	if (fb_row_begin(w))
		fb_row_end(w, fb_table_copy(w, type, row));
}
