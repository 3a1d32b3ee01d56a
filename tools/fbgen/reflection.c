/* SPDX-License-Identifier: MIT */
/* Reads a .bfbs: a FlatBuffer itself, of the schema reflection.fbs that comes with flatc. */
#include <ctype.h>
#include <string.h>

#include "fbgen.h"

#define SLOT(id) (4 + 2 * (id))

/* The part of reflection.fbs that is read here, for the verifier. */
static const struct fb_table_type type_type = {
	"Type",
	(const struct fb_field_type[]){
		{ .id = 2, .size = 4 }, { .id = 0, .size = 1 }, { .id = 1, .size = 1 } },
	3,
};
static const struct fb_table_type attribute_type = {
	"KeyValue",
	(const struct fb_field_type[]){
		{ .id = 0, .kind = FB_STRING, .size = 4, .required = true },
		{ .id = 1, .kind = FB_STRING, .size = 4 },
	},
	2,
};
static const struct fb_table_type field_type = {
	"Field",
	(const struct fb_field_type[]){
		{ .id = 4, .size = 8 },
		{ .id = 0, .kind = FB_STRING, .size = 4, .required = true },
		{ .id = 1, .kind = FB_TABLE, .size = 4, .required = true, .table = &type_type },
		{ .id = 9, .kind = FB_TABLES, .size = 4, .table = &attribute_type },
		{ .id = 2, .size = 2 },
		{ .id = 6, .size = 1 },
		{ .id = 7, .size = 1 },
		{ .id = 11, .size = 1 },
	},
	8,
};
static const struct fb_table_type object_type = {
	"Object",
	(const struct fb_field_type[]){
		{ .id = 0, .kind = FB_STRING, .size = 4, .required = true },
		{ .id = 1, .kind = FB_TABLES, .size = 4, .required = true, .table = &field_type },
		{ .id = 2, .size = 1 },
	},
	3,
};
static const struct fb_table_type enum_val_type = {
	"EnumVal",
	(const struct fb_field_type[]){
		{ .id = 1, .size = 8 },
		{ .id = 0, .kind = FB_STRING, .size = 4, .required = true },
	},
	2,
};
static const struct fb_table_type enum_type = {
	"Enum",
	(const struct fb_field_type[]){
		{ .id = 0, .kind = FB_STRING, .size = 4, .required = true },
		{ .id = 1,
		  .kind = FB_TABLES,
		  .size = 4,
		  .required = true,
		  .table = &enum_val_type },
		{ .id = 2, .size = 1 },
	},
	3,
};
static const struct fb_table_type schema_type = {
	"Schema",
	(const struct fb_field_type[]){
		{ .id = 0, .kind = FB_TABLES, .size = 4, .required = true, .table = &object_type },
		{ .id = 1, .kind = FB_TABLES, .size = 4, .required = true, .table = &enum_type },
		{ .id = 2, .kind = FB_STRING, .size = 4 },
	},
	3,
};

/* By reflection.BaseType: Bool = 2, Byte, UByte, ... ULong = 10. Floats are refused: no schema of
 * ours has any. */
static const struct scalar scalars[] = {
	[2] = { "bool", "u8", 1, false },	[3] = { "int8_t", "u8", 1, true },
	[4] = { "uint8_t", "u8", 1, false },	[5] = { "int16_t", "u16", 2, true },
	[6] = { "uint16_t", "u16", 2, false },	[7] = { "int32_t", "u32", 4, true },
	[8] = { "uint32_t", "u32", 4, false },	[9] = { "int64_t", "u64", 8, true },
	[10] = { "uint64_t", "u64", 8, false },
};
enum { BASE_STRING = 13, BASE_VECTOR = 14, BASE_OBJECT = 15 };

struct span enum_name(struct fb_table e)
{
	return fb_get_bytes(e, SLOT(0));
}

struct fb_vector enum_values(struct fb_table e)
{
	return fb_get_vector(e, SLOT(1));
}

struct span enum_value_name(struct fb_table v)
{
	return fb_get_bytes(v, SLOT(0));
}

int64_t enum_value_number(struct fb_table v)
{
	return (int64_t)fb_get_u64(v, SLOT(1), 0);
}

struct span name_local(struct span qualified)
{
	size_t at = qualified.n;
	while (at > 0 && qualified.p[at - 1] != '.')
		at--;
	return (struct span){ qualified.p + at, qualified.n - at };
}

void name_snake(struct span s, char out[NAME_MAX_BYTES])
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool after_small = i > 0 && !isupper((unsigned char)s.p[i - 1]);
		bool before_small = i + 1 < s.n && islower((unsigned char)s.p[i + 1]);
		if (i > 0 && isupper(c) && (after_small || before_small) && s.p[i - 1] != '_')
			out[n++] = '_';
		out[n++] = (char)tolower(c);
		if (n + 3 > NAME_MAX_BYTES)
			refuse("the name %.*s is too long", SPAN_ARG(s));
	}
	out[n] = '\0';
}

void name_upper(struct span s, char out[NAME_MAX_BYTES])
{
	name_snake(s, out);
	for (char *p = out; *p; p++)
		*p = (char)toupper((unsigned char)*p);
}

static struct scalar scalar_of(uint8_t base_type)
{
	return base_type < ARRAY_LEN(scalars) ? scalars[base_type] : (struct scalar){ 0 };
}

static void vector_field_read(struct model *m, struct fb_table type, const char *where,
			      struct field *f)
{
	uint8_t element = fb_get_u8(type, SLOT(1), 0);
	uint32_t object = fb_get_u32(type, SLOT(2), UINT32_MAX);

	f->scalar = scalar_of(element);
	if (f->scalar.size) {
		f->kind = FB_SCALARS;
	} else if (element == BASE_STRING) {
		f->kind = FB_STRINGS;
	} else if (element == BASE_OBJECT && object < m->tables_n) {
		f->kind = FB_TABLES;
		f->table = &m->tables[object];
	} else {
		refuse("%s.%s: a vector of this element type is not supported", where, f->name);
	}
}

/* How the writer looks for what it need not write again. */
static void attributes_read(struct model *m, struct fb_table in, const char *where, struct field *f)
{
	struct fb_vector attributes = fb_get_vector(in, SLOT(9));
	for (uint32_t i = 0; i < attributes.n; i++) {
		struct fb_table a = fb_vector_table(attributes, i);
		struct span key = fb_get_bytes(a, SLOT(0));
		if (span_eq(key, SPAN("repeats"))) {
			if (f->kind == FB_SCALAR || f->kind == FB_TABLES)
				refuse("%s.%s: only strings and vectors of scalars or of strings "
				       "are shared",
				       where, f->name);
			if (m->shared_n == FB_SHARED_MAX)
				refuse("%s.%s: more than %d shared fields", where, f->name,
				       FB_SHARED_MAX);
			f->shared = (uint8_t)++m->shared_n;
		} else if (span_eq(key, SPAN("like"))) {
			name_snake(fb_get_bytes(a, SLOT(1)), f->like);
		}
	}
}

static void field_read(struct model *m, struct fb_table in, const char *where, struct field *f)
{
	struct fb_table type = fb_get_table(in, SLOT(1));
	uint8_t base = fb_get_u8(type, SLOT(0), 0);

	name_snake(fb_get_bytes(in, SLOT(0)), f->name);
	uint16_t id = fb_get_u16(in, SLOT(2), 0);
	if (id >= FB_FIELDS_MAX)
		refuse("%s.%s: id %u; a table has at most %d fields", where, f->name, id,
		       FB_FIELDS_MAX);
	f->id = (uint8_t)id;
	f->deprecated = fb_get_u8(in, SLOT(6), 0) != 0;
	f->required = fb_get_u8(in, SLOT(7), 0) != 0;
	f->absent = (int64_t)fb_get_u64(in, SLOT(4), 0);
	if (f->deprecated)
		return;
	f->scalar = scalar_of(base);
	f->size = f->scalar.size ? f->scalar.size : 4;
	if (f->scalar.size) {
		f->kind = FB_SCALAR;
		if (fb_get_u8(in, SLOT(11), 0))
			refuse("%s.%s: optional scalars are not supported", where, f->name);
	} else if (base == BASE_STRING) {
		f->kind = FB_STRING;
	} else if (base == BASE_VECTOR) {
		vector_field_read(m, type, where, f);
	} else {
		refuse("%s.%s: this type is not supported (floats, tables, structs, unions and "
		       "arrays are not)",
		       where, f->name);
	}
	attributes_read(m, in, where, f);
}

/* flatc sorts fields by name; here they are sorted by id. */
static void table_read(struct model *m, struct fb_table in, struct table *t)
{
	struct fb_vector fields = fb_get_vector(in, SLOT(1));
	bool seen[FB_FIELDS_MAX] = { false };
	struct field by_id[FB_FIELDS_MAX];

	if (fb_get_u8(in, SLOT(2), 0))
		refuse("%s: structs are not supported", t->schema_name);
	if (fields.n > FB_FIELDS_MAX)
		refuse("%s: %u fields; a table has at most %d", t->schema_name, fields.n,
		       FB_FIELDS_MAX);
	for (uint32_t i = 0; i < fields.n; i++) {
		struct field f = { 0 };
		field_read(m, fb_vector_table(fields, i), t->schema_name, &f);
		if (seen[f.id])
			refuse("%s: two fields have id %u", t->schema_name, f.id);
		seen[f.id] = !f.deprecated;
		by_id[f.id] = f;
	}
	for (uint32_t id = 0; id < FB_FIELDS_MAX; id++)
		if (seen[id])
			t->fields[t->fields_n++] = by_id[id];
}

/* What a field is like has been written before it, in every row. */
static void likes_check(const struct table *t)
{
	for (uint32_t i = 0; i < t->fields_n; i++) {
		const struct field *f = &t->fields[i];
		bool found = !f->like[0];
		for (uint32_t k = 0; k < i && f->kind == FB_STRING; k++)
			found |= strcmp(t->fields[k].name, f->like) == 0 &&
				 t->fields[k].kind == FB_STRING && t->fields[k].required;
		if (!found || (f->like[0] && f->shared))
			refuse("%s.%s: like names a required string before it, of a string that "
			       "is not shared",
			       t->schema_name, f->name);
	}
}

/* An XBatch must be what the batch writer can write: rows, then plain scalars. */
static void batch_find(struct table *t)
{
	size_t n = strlen(t->name);
	if (n < 7 || strcmp(t->name + n - 6, "_batch") != 0)
		return;
	t->is_batch = true;
	if (t->fields_n > FB_BATCH_FIELDS_MAX)
		refuse("%s: a batch has at most %d fields", t->schema_name, FB_BATCH_FIELDS_MAX);
	for (uint32_t i = 0; i < t->fields_n; i++) {
		uint8_t want = i == 0 ? FB_TABLES : FB_SCALAR;
		if (t->fields[i].kind != want || t->fields[i].id != i)
			refuse("%s: a batch has its vector of rows as field 0, then scalars only",
			       t->schema_name);
	}
	if (t->fields_n)
		t->fields[0].table->is_row = true;
}

void model_read(struct span bfbs, const char *source, struct model *m)
{
	struct fb_table schema;
	if (fb_verify(bfbs, &schema_type, "BFBS", &schema) != ERR_OK)
		refuse("%s: not a binary FlatBuffers schema", source);

	struct fb_vector objects = fb_get_vector(schema, SLOT(0));
	struct span file_id = fb_get_bytes(schema, SLOT(2));
	m->source = source;
	m->enums = fb_get_vector(schema, SLOT(1));
	m->tables_n = objects.n;
	if (m->tables_n > TABLES_MAX)
		refuse("%s: more than %d tables", source, TABLES_MAX);
	if (file_id.n == 4)
		memcpy(m->file_id, file_id.p, 4);
	for (uint32_t i = 0; i < m->enums.n; i++)
		if (fb_get_u8(fb_vector_table(m->enums, i), SLOT(2), 0))
			refuse("%s: unions are not supported", source);
	for (uint32_t i = 0; i < objects.n; i++) {
		struct span name = name_local(fb_get_bytes(fb_vector_table(objects, i), SLOT(0)));
		struct table *t = &m->tables[i];
		name_snake(name, t->name);
		memcpy(t->schema_name, name.p, name.n);
	}
	for (uint32_t i = 0; i < objects.n; i++) {
		table_read(m, fb_vector_table(objects, i), &m->tables[i]);
		likes_check(&m->tables[i]);
		batch_find(&m->tables[i]);
	}
}
