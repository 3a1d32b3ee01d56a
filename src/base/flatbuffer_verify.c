/* SPDX-License-Identifier: MIT */
/* The FlatBuffers verifier: any bytes in, a buffer that accessors may follow out, or ERR_CORRUPT.
 *
 * A vtable is taken apart once (vtable_read()): whether its scalars lie aligned inside the object
 * depends only on the vtable and on the table's position modulo 8, and rows share vtables. What is
 * left to do per row are the fields that refer to something; what the row before refers to in the
 * same field, as rows that share their texts do, is known to be sound. Every table and every
 * element of a vector of offsets costs one unit of work; more units than the buffer has bytes can
 * only come from a buffer that shares tables to blow up, and are refused: so time is linear. */
#include "base/flatbuffer.h"

#define VTABLES_KEPT 16
#define WORK_MAX 1000000u /* the C++ library's limit of tables */

struct vtable_ref { /* a present field that is an offset */
	uint16_t off;
	uint8_t field;	/* index in type->fields */
	uint32_t sound; /* where it led last: a sound string or vector of scalars; 0: nowhere yet */
};

struct vtable {
	const struct fb_table_type *type; /* NULL: this place is free */
	uint32_t pos;
	uint32_t table_mod8;
	uint32_t object_bytes;
	uint32_t strings_n, scalars_n, nested_n;
	struct vtable_ref strings[FB_FIELDS_MAX];
	struct vtable_ref scalars[FB_FIELDS_MAX]; /* vectors of scalars */
	struct vtable_ref nested[FB_FIELDS_MAX];  /* the others */
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
	struct vtable_ref ref = { (uint16_t)off, (uint8_t)index, 0 };
	if (f->kind == FB_STRING)
		vt->strings[vt->strings_n++] = ref;
	else if (f->kind == FB_SCALARS)
		vt->scalars[vt->scalars_n++] = ref;
	else if (f->kind != FB_SCALAR)
		vt->nested[vt->nested_n++] = ref;
	return true;
}

static bool vtable_read(struct verifier *v, struct vtable *vt)
{
	const uint8_t *p = v->buf + vt->pos;
	uint32_t bytes = num_le16(p);

	vt->object_bytes = num_le16(p + 2);
	vt->strings_n = vt->scalars_n = vt->nested_n = 0;
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
static struct vtable *vtable_get(struct verifier *v, const struct fb_table_type *type, uint32_t pos)
{
	/* the size is below 2^31: what lies before the buffer or behind it is too large here */
	uint32_t at = pos - num_le32(v->buf + pos);
	struct vtable *vt = &v->vtables[(at >> 2 ^ at >> 6) % VTABLES_KEPT];
	if (vt->type == type && vt->pos == at && vt->table_mod8 == (pos & 7))
		return vt;
	if (at > v->size - 4 || (at & 1))
		return NULL;
	vt->type = type;
	vt->pos = at;
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
	if (off - 1 >= v->size - 4 - at) /* 0, too, leads nowhere */
		return 0;
	uint32_t pos = at + off;
	return pos & 3 ? 0 : pos;
}

/* The string behind the offset at `at`: position of its length, or 0. */
static inline uint32_t string_check(const struct verifier *v, uint32_t at)
{
	uint32_t pos = follow(v, at);
	if (pos == 0)
		return 0;
	uint32_t n = num_le32(v->buf + pos);
	return n < v->size - pos - 4 && v->buf[pos + 4 + n] == 0 ? pos : 0;
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

/* Does the field lead forward to where it led a row ago? `field`: its bytes, which are at `at`. */
static inline bool leads_to(const uint8_t *field, uint32_t at, uint32_t sound)
{
	return sound > at && num_le32(field) == sound - at;
}

/* Strings and vectors of scalars. */
static inline bool plain_check(const struct verifier *v, struct vtable *vt, uint32_t pos)
{
	const uint8_t *table = v->buf + pos;
	const struct vtable_ref *end = vt->strings + vt->strings_n;
	for (struct vtable_ref *r = vt->strings; r < end; r++) {
		if (leads_to(table + r->off, pos + r->off, r->sound))
			continue;
		r->sound = string_check(v, pos + r->off);
		if (UNLIKELY(r->sound == 0))
			return false;
	}
	end = vt->scalars + vt->scalars_n;
	for (struct vtable_ref *r = vt->scalars; r < end; r++) {
		if (leads_to(table + r->off, pos + r->off, r->sound))
			continue;
		uint32_t size = vt->type->fields[r->field].element_size;
		r->sound = vector_check(v, pos + r->off, size);
		if (UNLIKELY(r->sound == 0))
			return false;
	}
	return true;
}

static bool nested_check(struct verifier *v, const struct vtable *vt, uint32_t pos)
{
	/* tables below may take the vtable's place in v->vtables */
	const struct fb_table_type *type = vt->type;
	struct vtable_ref nested[FB_FIELDS_MAX];
	uint32_t nested_n = vt->nested_n;
	memcpy(nested, vt->nested, nested_n * sizeof *nested);
	v->depth++;
	for (uint32_t i = 0; i < nested_n; i++)
		if (!ref_check(v, &type->fields[nested[i].field], pos + nested[i].off))
			return false;
	v->depth--;
	return true;
}

/* pos is a multiple of 4 with 4 bytes to read, or 0. */
static bool table_check(struct verifier *v, const struct fb_table_type *type, uint32_t pos)
{
	if (pos == 0 || v->depth == FB_DEPTH_MAX || !work(v, 1))
		return false;
	struct vtable *vt = vtable_get(v, type, pos);
	if (!vt || vt->object_bytes > v->size - pos || !plain_check(v, vt, pos))
		return false;
	return LIKELY(vt->nested_n == 0) || nested_check(v, vt, pos);
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
