/* SPDX-License-Identifier: MIT */
/* The header: enums, input structs, inline accessors, prototypes. */
#include "fbgen.h"

void emit_enums(FILE *f, const struct model *m)
{
	for (uint32_t i = 0; i < m->enums.n; i++) {
		struct fb_table e = fb_vector_table(m->enums, i);
		struct span name = name_local(enum_name(e));
		char snake[NAME_MAX_BYTES], upper[NAME_MAX_BYTES];
		name_snake(name, snake);
		name_upper(name, upper);

		fprintf(f, "enum %s {\n", snake);
		struct fb_vector values = enum_values(e);
		for (uint32_t k = 0; k < values.n; k++) {
			struct fb_table v = fb_vector_table(values, k);
			char value[NAME_MAX_BYTES];
			if (enum_value_number(v) < INT32_MIN || enum_value_number(v) > INT32_MAX)
				refuse("enum %s: a value beyond 32 bits", snake);
			name_upper(enum_value_name(v), value);
			fprintf(f, "\t%s_%s = %" PRId64 ",\n", upper, value, enum_value_number(v));
		}
		fprintf(f, "};\n\n");
	}
}

void emit_literal(FILE *f, const struct field *field)
{
	if (field->absent == 0)
		fprintf(f, "0");
	else if (!field->scalar.is_signed)
		fprintf(f, "UINT64_C(%" PRIu64 ")", (uint64_t)field->absent);
	else if (field->absent == INT64_MIN)
		fprintf(f, "INT64_MIN");
	else
		fprintf(f, "INT64_C(%" PRId64 ")", field->absent);
}

static void scalar_accessor(FILE *f, const struct table *t, const struct field *a)
{
	unsigned slot = 4 + 2u * a->id;
	bool is_bool = a->scalar.c_type[0] == 'b';

	fprintf(f, "static inline %s %s_%s(struct fb_table t)\n{\n\treturn ", a->scalar.c_type,
		t->name, a->name);
	if (a->scalar.is_signed)
		fprintf(f, "(%s)", a->scalar.c_type);
	fprintf(f, "fb_get_%s(t, %u, ", a->scalar.bits, slot);
	if (a->absent == 0)
		fprintf(f, "0");
	else {
		fprintf(f, "(uint%u_t)", 8u * a->scalar.size);
		emit_literal(f, a);
	}
	fprintf(f, ")%s;\n}\n\n", is_bool ? " != 0" : "");
}

/* Strings and vectors of bytes are spans; other vectors are read through fb_vector_...(). */
static bool is_bytes(const struct field *a)
{
	return a->kind == FB_STRING || (a->kind == FB_SCALARS && a->scalar.size == 1);
}

void emit_accessors(FILE *f, const struct table *t)
{
	for (uint32_t i = 0; i < t->fields_n; i++) {
		const struct field *a = &t->fields[i];
		unsigned slot = 4 + 2u * a->id;
		if (a->kind == FB_SCALAR) {
			scalar_accessor(f, t, a);
			continue;
		}
		fprintf(f, "static inline struct %s %s_%s(struct fb_table t)\n",
			is_bytes(a) ? "span" : "fb_vector", t->name, a->name);
		fprintf(f, "{\n\treturn fb_get_%s(t, %u);\n}\n\n", is_bytes(a) ? "bytes" : "vector",
			slot);
	}
}

void emit_input_struct(FILE *f, const struct table *t)
{
	if (t->is_batch)
		return;
	fprintf(f, "/** What %s_write() stores; zero and empty mean absent. */\n", t->name);
	fprintf(f, "struct %s_in {\n", t->name);
	for (uint32_t i = 0; i < t->fields_n; i++) {
		const struct field *a = &t->fields[i];
		if (a->kind == FB_SCALAR)
			fprintf(f, "\t%s %s;\n", a->scalar.c_type, a->name);
		else if (is_bytes(a))
			fprintf(f, "\tstruct span %s;%s\n", a->name,
				a->required ? " /* required */" : "");
		else if (a->kind == FB_SCALARS)
			fprintf(f, "\tconst %s *%s;\n", a->scalar.c_type, a->name);
		else if (a->kind == FB_STRINGS)
			fprintf(f, "\tconst struct span *%s;\n", a->name);
		else
			fprintf(f, "\tconst struct %s_in *%s;\n", a->table->name, a->name);
		if (a->kind != FB_SCALAR && !is_bytes(a))
			fprintf(f, "\tuint32_t %s_n;\n", a->name);
	}
	if (has_alike(t))
		fprintf(f, "\tuint64_t alike; /* 0, or a number: all rows with it that a "
			   "transaction puts say the same\n\t\t\t * in fields that repeat */\n");
	fprintf(f, "};\n\n");
}

bool has_alike(const struct table *t)
{
	bool any = false;
	for (uint32_t i = 0; i < t->fields_n; i++)
		any |= t->fields[i].shared && t->fields[i].kind != FB_STRINGS;
	return any && t->is_row;
}

void emit_batch_arguments(FILE *f, const struct table *t)
{
	for (uint32_t i = 1; i < t->fields_n; i++)
		fprintf(f, ", %s %s", t->fields[i].scalar.c_type, t->fields[i].name);
}

void emit_prototypes(FILE *f, const struct table *t)
{
	const char *n = t->name;

	fprintf(f, "extern const struct fb_table_type %s_type;\n", n);
	if (t->is_batch) {
		const char *row = t->fields[0].table->name;
		fprintf(f,
			"/** Start a batch; w->err tells of no room. fb_batch_finish() ends it. "
			"*/\n"
			"void %s_begin(struct fb_writer *w, void *buf, uint32_t cap",
			n);
		emit_batch_arguments(f, t);
		fprintf(f,
			");\n/** One more row, whole or, with w->err, not at all. */\n"
			"void %s_add(struct fb_writer *w, const struct %s_in *in);\n",
			n, row);
	} else {
		fprintf(f,
			"/** Upper bound of what %s_write() takes. */\n"
			"uint32_t %s_in_bytes_max(const struct %s_in *in);\n"
			"/** Write a table; its place, or 0 and w->err where there is no room. */\n"
			"uint32_t %s_write(struct fb_writer *w, const struct %s_in *in);\n"
			"/** A buffer of its own with this table as root. ERR_LIMIT: no room. */\n"
			"NODISCARD enum err %s_build(void *buf, uint32_t cap, "
			"const struct %s_in *in, uint32_t *out_n);\n",
			n, n, n, n, n, n, n);
	}
	fprintf(f,
		"/** Whether all of buf is safe to read as a %s: see fb_verify(). */\n"
		"NODISCARD enum err %s_verify(struct span buf, struct fb_table *out_root);\n\n",
		t->schema_name, n);
}
