/* SPDX-License-Identifier: MIT */
/* The FlatBuffers verifier: any bytes in, a buffer that accessors may follow out, or ERR_CORRUPT.
 *
 * A vtable is taken apart once (vtable_read()): whether its scalars lie aligned inside the object
 * depends only on the vtable and on the table's position modulo 8, and rows share vtables. What is
 * left to do per row are the fields that refer to something. Every table and every element of a
 * vector of offsets costs one unit of work; more units than the buffer has bytes can only come from
 * a buffer that shares tables to blow up, and are refused: so time is linear. */
#include "base/flatbuffer.h"

#define VTABLES_KEPT 16
#define WORK_MAX 1000000u /* the C++ library's limit of tables */

struct vtable_ref { /* a present field that is an offset */
	uint16_t off;
	uint8_t field; /* index in type->fields */
};

struct vtable {
	const struct fb_table_type *type; /* NULL: this place is free */
	uint32_t pos;
	uint32_t table_mod8;
	uint32_t object_bytes;
	uint32_t refs_n;
	struct vtable_ref refs[FB_FIELDS_MAX];
};

struct verifier {
	const uint8_t *buf;
	uint32_t size;
	uint32_t depth;
	uint32_t work_left;
	struct vtable vtables[VTABLES_KEPT];
};

static bool table_check(struct verifier *v, const struct fb_table_type *type, uint32_t pos);

/* One field of a vtable being read: in its object, aligned. An absent one must not be required. */
static bool field_read(struct vtable *vt, uint32_t index, uint32_t off)
{
	const struct fb_field_type *f = &vt->type->fields[index];

	if (off == 0)
		return !f->required;
	if (off < 4 || off + f->size > vt->object_bytes)
		return false;
	if ((vt->table_mod8 + off) & (f->size - 1u))
		return false;
	if (f->kind != FB_SCALAR)
		vt->refs[vt->refs_n++] = (struct vtable_ref){ (uint16_t)off, (uint8_t)index };
	return true;
}

static bool vtable_read(struct verifier *v, struct vtable *vt)
{
	const uint8_t *p = v->buf + vt->pos;
	uint32_t bytes = num_le16(p);

	vt->object_bytes = num_le16(p + 2);
	vt->refs_n = 0;
	if (bytes < 4 || (bytes & 1) || bytes > v->size - vt->pos || vt->object_bytes < 4)
		return false;
	for (uint32_t i = 0; i < vt->type->fields_n; i++) {
		uint32_t slot = 4 + 2u * vt->type->fields[i].id;
		if (!field_read(vt, i, slot < bytes ? num_le16(p + slot) : 0))
			return false;
	}
	return true;
}

/* The vtable of the table at pos, checked, or NULL. */
static const struct vtable *vtable_get(struct verifier *v, const struct fb_table_type *type,
				       uint32_t pos)
{
	int64_t at = (int64_t)pos - (int32_t)num_le32(v->buf + pos);
	if (at < 0 || at > (int64_t)v->size - 4 || (at & 1))
		return NULL;

	uint32_t at32 = (uint32_t)at;
	struct vtable *vt = &v->vtables[(at32 >> 2 ^ at32 >> 6) % VTABLES_KEPT];
	if (vt->type == type && vt->pos == at32 && vt->table_mod8 == (pos & 7))
		return vt;
	vt->type = type;
	vt->pos = at32;
	vt->table_mod8 = pos & 7;
	if (vtable_read(v, vt))
		return vt;
	vt->type = NULL;
	return NULL;
}

/* Where the offset at `at` (inside the buffer) leads: a multiple of 4 with 4 bytes to read there;
 * 0 where it leads nowhere. */
static inline uint32_t follow(const struct verifier *v, uint32_t at)
{
	uint32_t off = num_le32(v->buf + at);
	if (off == 0 || off > v->size - 4 - at)
		return 0;
	uint32_t pos = at + off;
	return pos & 3 ? 0 : pos;
}

static inline bool string_check(const struct verifier *v, uint32_t at)
{
	uint32_t pos = follow(v, at);
	if (pos == 0)
		return false;
	uint32_t n = num_le32(v->buf + pos);
	return n < v->size - pos - 4 && v->buf[pos + 4 + n] == 0;
}

/* The vector behind the offset at `at`: position of its length, or 0. */
static uint32_t vector_check(const struct verifier *v, uint32_t at, uint32_t element_size)
{
	uint32_t pos = follow(v, at);
	if (pos == 0 || ((pos + 4) & (element_size - 1)))
		return 0;
	uint64_t bytes = (uint64_t)num_le32(v->buf + pos) * element_size;
	return bytes <= v->size - pos - 4 ? pos : 0;
}

static bool work(struct verifier *v, uint32_t units)
{
	if (units > v->work_left)
		return false;
	v->work_left -= units;
	return true;
}

static bool strings_check(struct verifier *v, uint32_t at)
{
	uint32_t pos = vector_check(v, at, 4);
	if (pos == 0)
		return false;
	uint32_t n = num_le32(v->buf + pos);
	if (!work(v, n))
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!string_check(v, pos + 4 + 4 * i))
			return false;
	return true;
}

static bool tables_check(struct verifier *v, const struct fb_table_type *type, uint32_t at)
{
	uint32_t pos = vector_check(v, at, 4);
	if (pos == 0)
		return false;
	uint32_t n = num_le32(v->buf + pos);
	for (uint32_t i = 0; i < n; i++)
		if (!table_check(v, type, follow(v, pos + 4 + 4 * i)))
			return false;
	return true;
}

static bool ref_check(struct verifier *v, const struct fb_field_type *f, uint32_t at)
{
	switch (f->kind) {
	case FB_STRING:
		return string_check(v, at);
	case FB_SCALARS:
		return vector_check(v, at, f->element_size) != 0;
	case FB_STRINGS:
		return strings_check(v, at);
	case FB_TABLES:
		return tables_check(v, f->table, at);
	case FB_TABLE:
		return table_check(v, f->table, follow(v, at));
	default:
		return false;
	}
}

/* pos is a multiple of 4 with 4 bytes to read, or 0. */
static bool table_check(struct verifier *v, const struct fb_table_type *type, uint32_t pos)
{
	if (pos == 0 || v->depth == FB_DEPTH_MAX || !work(v, 1))
		return false;
	const struct vtable *vt = vtable_get(v, type, pos);
	if (!vt || vt->object_bytes > v->size - pos)
		return false;

	/* Tables below may take the vtable's place in v->vtables: strings, which do not nest, go
	 * first; what nests works on a copy. */
	struct vtable_ref nested[FB_FIELDS_MAX];
	uint32_t nested_n = 0;
	for (uint32_t i = 0; i < vt->refs_n; i++) {
		if (type->fields[vt->refs[i].field].kind != FB_STRING)
			nested[nested_n++] = vt->refs[i];
		else if (!string_check(v, pos + vt->refs[i].off))
			return false;
	}
	v->depth++;
	for (uint32_t i = 0; i < nested_n; i++)
		if (!ref_check(v, &type->fields[nested[i].field], pos + nested[i].off))
			return false;
	v->depth--;
	return true;
}

enum err fb_verify(struct span buf, const struct fb_table_type *root, const char *file_id,
		   struct fb_table *out_root)
{
	if (buf.n < 12 || buf.n > INT32_MAX)
		return ERR_CORRUPT;
	if (file_id && memcmp(buf.p + 4, file_id, 4) != 0)
		return ERR_CORRUPT;

	struct verifier v;
	v.buf = (const uint8_t *)buf.p;
	v.size = (uint32_t)buf.n;
	v.depth = 0;
	v.work_left = v.size < WORK_MAX ? v.size : WORK_MAX;
	for (uint32_t i = 0; i < VTABLES_KEPT; i++)
		v.vtables[i].type = NULL;

	uint32_t pos = follow(&v, 0);
	if (!table_check(&v, root, pos))
		return ERR_CORRUPT;
	*out_root = (struct fb_table){ v.buf, v.size, pos };
	return ERR_OK;
}
