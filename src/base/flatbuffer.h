/* SPDX-License-Identifier: MIT */
/* The FlatBuffers runtime under the code that tools/fbgen writes from schema/.fbs.
 *
 * Reading: a view names a table inside a buffer whose verifier has passed; accessors follow
 * offsets without allocation and without copying. Accessors of an unverified buffer are undefined.
 * Writing: forward, straight into the caller's memory: root table, then one vector of rows
 * (reserved up front), then rows, each followed by its strings. No heap. */
#pragma once

#include "base/err.h"
#include "base/num.h"
#include "base/span.h"

/** One table in a verified buffer. pos 0 is never a table: such a view is "absent", and every
 * accessor of it gives the field's default. Lifetime: the buffer's. */
struct fb_table {
	const uint8_t *buf;
	uint32_t size; /* of the whole buffer, bytes */
	uint32_t pos;  /* of the table in it */
};

/** A vector in a verified buffer. */
struct fb_vector {
	const uint8_t *buf;
	uint32_t size;
	uint32_t pos; /* of element 0 */
	uint32_t n;   /* elements */
};

/* ---- reading ------------------------------------------------------------------------------- */

/** Element i < n of a vector of tables, of strings, of scalars. */
static inline struct fb_table fb_vector_table(struct fb_vector v, uint32_t i)
{
	uint32_t slot = v.pos + 4 * i;
	return (struct fb_table){ v.buf, v.size, slot + num_le32(v.buf + slot) };
}

static inline struct span fb_vector_string(struct fb_vector v, uint32_t i)
{
	uint32_t slot = v.pos + 4 * i;
	const uint8_t *s = v.buf + slot + num_le32(v.buf + slot);
	return span_of(s + 4, num_le32(s));
}

static inline uint16_t fb_vector_u16(struct fb_vector v, uint32_t i)
{
	return num_le16(v.buf + v.pos + 2 * (size_t)i);
}

static inline uint32_t fb_vector_u32(struct fb_vector v, uint32_t i)
{
	return num_le32(v.buf + v.pos + 4 * (size_t)i);
}

static inline uint64_t fb_vector_u64(struct fb_vector v, uint32_t i)
{
	return num_le64(v.buf + v.pos + 8 * (size_t)i);
}

/* What the generated accessors are made of. `slot` is the field's place in the vtable, 4 + 2 id. */

/** Where the field's bytes are, or NULL where the field (or the table) is absent. */
static inline const uint8_t *fb_field(struct fb_table t, uint32_t slot)
{
	if (UNLIKELY(t.pos == 0))
		return NULL;
	const uint8_t *table = t.buf + t.pos;
	const uint8_t *vtable = table - (int32_t)num_le32(table);
	if (slot >= num_le16(vtable))
		return NULL;
	uint16_t off = num_le16(vtable + slot);
	return off ? table + off : NULL;
}

static inline uint8_t fb_get_u8(struct fb_table t, uint32_t slot, uint8_t absent)
{
	const uint8_t *p = fb_field(t, slot);
	return p ? *p : absent;
}

static inline uint16_t fb_get_u16(struct fb_table t, uint32_t slot, uint16_t absent)
{
	const uint8_t *p = fb_field(t, slot);
	return p ? num_le16(p) : absent;
}

static inline uint32_t fb_get_u32(struct fb_table t, uint32_t slot, uint32_t absent)
{
	const uint8_t *p = fb_field(t, slot);
	return p ? num_le32(p) : absent;
}

static inline uint64_t fb_get_u64(struct fb_table t, uint32_t slot, uint64_t absent)
{
	const uint8_t *p = fb_field(t, slot);
	return p ? num_le64(p) : absent;
}

/** A string, or a vector of bytes. {NULL, 0} where it is absent. */
static inline struct span fb_get_bytes(struct fb_table t, uint32_t slot)
{
	const uint8_t *p = fb_field(t, slot);
	if (!p)
		return (struct span){ NULL, 0 };
	p += num_le32(p);
	return span_of(p + 4, num_le32(p));
}

/** n is 0 where it is absent. */
static inline struct fb_vector fb_get_vector(struct fb_table t, uint32_t slot)
{
	const uint8_t *p = fb_field(t, slot);
	if (!p)
		return (struct fb_vector){ t.buf, t.size, 0, 0 };
	p += num_le32(p);
	return (struct fb_vector){ t.buf, t.size, (uint32_t)(p - t.buf) + 4, num_le32(p) };
}

static inline struct fb_table fb_get_table(struct fb_table t, uint32_t slot)
{
	const uint8_t *p = fb_field(t, slot);
	uint32_t pos = p ? (uint32_t)(p - t.buf) + num_le32(p) : 0;
	return (struct fb_table){ t.buf, t.size, pos };
}

/* ---- what a table looks like (constants in the generated code) ------------------------------- */

#define FB_FIELDS_MAX 64 /* ids 0..63, so that presence fits one 64-bit mask */

enum fb_kind {
	FB_SCALAR,
	FB_STRING,
	FB_SCALARS, /* vector of scalars */
	FB_STRINGS, /* vector of strings */
	FB_TABLES,  /* vector of tables */
	FB_TABLE
};

struct fb_field_type {
	uint8_t id;
	uint8_t kind; /* enum fb_kind */
	uint8_t size; /* inline bytes: 1, 2, 4 or 8 */
	uint8_t element_size;
	bool required;
	const struct fb_table_type *table; /* FB_TABLE, FB_TABLES */
};

struct fb_table_type {
	const char *name;
	const struct fb_field_type *fields; /* by falling size: the order in which rows have them */
	uint32_t fields_n;		    /* without deprecated ones, whose bytes nobody reads */
};

/* ---- verifying ------------------------------------------------------------------------------- */

#define FB_DEPTH_MAX 64 /* nested tables */

/** Checks everything that an accessor could ever follow: that every offset, vector, string (with
 * its NUL), field and vtable lies inside the buffer, aligned, fields inside their object, required
 * ones there, and `file_id` (4 bytes; NULL: none asked for). Any bytes may be handed in. Linear in
 * the buffer's size, also for buffers that share tables. Stricter than the C++ library's Verifier,
 * never laxer. What it does not promise: that text is UTF-8, that enum values are known.
 * Errors: ERR_CORRUPT; *out_root is left alone. */
NODISCARD enum err fb_verify(struct span buf, const struct fb_table_type *root, const char *file_id,
			     struct fb_table *out_root);

/* ---- writing --------------------------------------------------------------------------------- */

/** Distinct row layouts (sets of present fields) that share one vtable each within a buffer; rows
 * of further layouts bring their own. */
#define FB_LAYOUTS_MAX 64

/** Builds one batch: a root table whose field 0 is the vector of rows.
 * Errors stick: ERR_LIMIT once the memory is full; what was written before stays whole. */
struct fb_writer {
	uint8_t *buf;
	uint32_t cap;
	uint32_t n;	     /* bytes used */
	uint32_t vector_pos; /* of the rows vector's length */
	uint32_t rows_n;
	uint32_t rows_cap;
	enum err err;
	uint32_t layouts_n;
	struct fb_layout {
		const void *table_type; /* which generated writer it belongs to */
		uint64_t present;	/* bit per field id */
		uint32_t vtable_pos;
	} layouts[FB_LAYOUTS_MAX]; /* a hash table */
};

/* The rest is for generated code; it checks room once per row (fb_table_begin()) and then writes
 * without further checks, because ..._in_bytes_max() is an upper bound. */

/** A string that the table at hand refers to: where its offset goes, and its bytes. */
struct fb_ref {
	uint8_t *at;
	const struct span *s;
};

static inline uint8_t *fb_put_u8(uint8_t *p, uint8_t v)
{
	*p = v;
	return p + 1;
}

static inline uint8_t *fb_put_u16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof v);
	return p + sizeof v;
}

static inline uint8_t *fb_put_u32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof v);
	return p + sizeof v;
}

static inline uint8_t *fb_put_u64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, sizeof v);
	return p + sizeof v;
}

/** A bound as ..._in_bytes_max() returns it: UINT32_MAX for whatever can never fit. */
static inline uint32_t fb_bytes_max(uint64_t bytes)
{
	return bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

/** Start a buffer in the caller's memory: root offset and file identifier (NULL: none). */
void fb_begin(struct fb_writer *w, void *buf, uint32_t cap, const char *file_id);
/** Room for a table of at most `bytes_max` with all that hangs on it. Returns its position, aligned
 * for 8-byte fields, or 0 and w->err. */
static inline uint32_t fb_table_begin(struct fb_writer *w, uint32_t bytes_max)
{
	if (UNLIKELY(w->err != ERR_OK))
		return 0;
	if (UNLIKELY(bytes_max > w->cap - w->n)) {
		w->err = ERR_LIMIT;
		return 0;
	}
	/* n is a multiple of 4; the fields begin 4 bytes behind pos, at a multiple of 8 */
	uint32_t pos = (w->n + 3) / 8 * 8 + 4;
	if (pos != w->n)
		fb_put_u32(w->buf + w->n, 0);
	return pos;
}
/** The inline fields end at `end`: pads, then writes the strings. */
void fb_strings_write(struct fb_writer *w, uint8_t *end, const struct fb_ref *refs,
		      uint32_t refs_n);
void fb_scalars_write(struct fb_writer *w, uint8_t *at, const void *v, uint32_t n, uint32_t size);
void fb_string_vector_write(struct fb_writer *w, uint8_t *at, const struct span *v, uint32_t n);
/** A vector of n offsets yet to be set; returns the position of the first. */
uint32_t fb_slots_write(struct fb_writer *w, uint8_t *at, uint32_t n);
static inline void fb_slot_set(struct fb_writer *w, uint32_t slot, uint32_t target)
{
	fb_put_u32(w->buf + slot, target - slot);
}
/** The table is complete: give it a vtable, shared where this set of fields was seen before. */
void fb_table_end(struct fb_writer *w, const struct fb_table_type *type, uint32_t pos,
		  uint64_t present);
/** The vector of rows of a batch. */
void fb_rows_write(struct fb_writer *w, uint8_t *at, uint32_t rows_cap);
/** Whether one more row has a slot; else w->err. */
bool fb_row_begin(struct fb_writer *w);
/** The row at `pos` (0: it found no room) enters the vector. */
static inline void fb_row_end(struct fb_writer *w, uint32_t pos)
{
	if (pos == 0)
		return;
	fb_slot_set(w, w->vector_pos + 4 + 4 * w->rows_n, pos);
	w->rows_n++;
	fb_put_u32(w->buf + w->vector_pos, w->rows_n);
}
/** Append a copy of a table of a verified buffer; its position, or 0 and w->err where there is no
 * room. Fields that the type does not know are left out. */
uint32_t fb_table_copy(struct fb_writer *w, const struct fb_table_type *type, struct fb_table t);
/** The same as one more row, whole or, with w->err, not at all. */
void fb_row_copy(struct fb_writer *w, const struct fb_table_type *type, struct fb_table row);
/** Make the table at `pos` (0: it found no room) the root. */
NODISCARD enum err fb_finish(struct fb_writer *w, uint32_t pos, uint32_t *out_n);
