/* SPDX-License-Identifier: MIT */
/* Copying a table from one buffer to another, by its type: what a newer schema has added and this
 * program does not know stays behind. */
#include "base/flatbuffer.h"

#define TABLE_BYTES (16 + 8 + 2 * FB_FIELDS_MAX) /* as in the generated writers, and a vtable */
#define VECTOR_BYTES 16				 /* length, NUL or padding before and behind */

static const uint8_t *field_of(struct fb_table t, const struct fb_field_type *f)
{
	return fb_field(t, 4 + 2u * f->id);
}

static bool is_text(const struct fb_field_type *f)
{
	return f->kind == FB_STRING || (f->kind == FB_SCALARS && f->element_size == 1);
}

static uint64_t copy_bytes_max(const struct fb_table_type *type, struct fb_table t)
{
	uint64_t n = TABLE_BYTES;
	for (uint32_t i = 0; i < type->fields_n; i++) {
		const struct fb_field_type *f = &type->fields[i];
		if (!field_of(t, f))
			continue;
		unsigned slot = 4 + 2u * f->id;
		struct fb_vector v = { 0 };
		n += f->size + VECTOR_BYTES;
		if (is_text(f))
			n += fb_get_bytes(t, slot).n;
		else if (f->kind == FB_TABLE)
			n += copy_bytes_max(f->table, fb_get_table(t, slot));
		else if (f->kind != FB_SCALAR)
			v = fb_get_vector(t, slot);
		if (f->kind == FB_SCALARS)
			n += (uint64_t)v.n * f->element_size;
		for (uint32_t k = 0; f->kind == FB_STRINGS && k < v.n; k++)
			n += 4 + VECTOR_BYTES + fb_vector_string(v, k).n;
		for (uint32_t k = 0; f->kind == FB_TABLES && k < v.n; k++)
			n += 4 + copy_bytes_max(f->table, fb_vector_table(v, k));
	}
	return n;
}

/* What hangs on the table beside its strings. `at`: the field in the copy. */
static void field_copy(struct fb_writer *w, const struct fb_field_type *f, struct fb_table t,
		       uint8_t *at)
{
	unsigned slot = 4 + 2u * f->id;
	if (f->kind == FB_TABLE) {
		uint32_t pos = fb_table_copy(w, f->table, fb_get_table(t, slot));
		fb_put_u32(at, pos - (uint32_t)(at - w->buf));
		return;
	}
	struct fb_vector v = fb_get_vector(t, slot);
	if (f->kind == FB_SCALARS) {
		fb_scalars_write(w, at, v.buf + v.pos, v.n, f->element_size);
		return;
	}
	uint32_t slots = fb_slots_write(w, at, v.n);
	for (uint32_t k = 0; k < v.n; k++) {
		if (f->kind == FB_TABLES) {
			fb_slot_set(w, slots + 4 * k,
				    fb_table_copy(w, f->table, fb_vector_table(v, k)));
			continue;
		}
		struct span s = fb_vector_string(v, k);
		struct fb_ref ref = { w->buf + slots + 4 * (size_t)k, &s };
		fb_strings_write(w, w->buf + w->n, &ref, 1);
	}
}

uint32_t fb_table_copy(struct fb_writer *w, const struct fb_table_type *type, struct fb_table t)
{
	uint32_t pos = fb_table_begin(w, fb_bytes_max(copy_bytes_max(type, t)));
	if (pos == 0)
		return 0;
	uint8_t *p = w->buf + pos + 4, *at[FB_FIELDS_MAX] = { NULL };
	uint64_t present = 0;
	struct span texts[FB_FIELDS_MAX];
	struct fb_ref refs[FB_FIELDS_MAX];
	uint32_t refs_n = 0;
	for (uint32_t i = 0; i < type->fields_n; i++) {
		const struct fb_field_type *f = &type->fields[i];
		const uint8_t *from = field_of(t, f);
		if (!from)
			continue;
		present |= UINT64_C(1) << f->id;
		if (is_text(f)) {
			texts[refs_n] = fb_get_bytes(t, 4 + 2u * f->id);
			refs[refs_n] = (struct fb_ref){ p, &texts[refs_n] };
			refs_n++;
		} else if (f->kind == FB_SCALAR) {
			memcpy(p, from, f->size);
		} else {
			at[i] = p;
		}
		p += f->size;
	}
	fb_strings_write(w, p, refs, refs_n);
	for (uint32_t i = 0; i < type->fields_n; i++)
		if (at[i])
			field_copy(w, &type->fields[i], t, at[i]);
	fb_table_end(w, type, pos, present);
	return pos;
}

void fb_row_copy(struct fb_writer *w, const struct fb_table_type *type, struct fb_table row)
{
	if (fb_row_begin(w))
		fb_row_end(w, fb_table_copy(w, type, row));
}
