/* SPDX-License-Identifier: MIT */
/* The writers: one pass over the fields by falling size, then strings, then vectors, then vtable.
 */
#include "fbgen.h"

#define TABLE_OVERHEAD 16 /* offset of the vtable, padding before and behind, slot in a vector */
#define VTABLE_OVERHEAD 8 /* its two lengths, padding */

static bool is_string(const struct field *a)
{
	return a->kind == FB_STRING || (a->kind == FB_SCALARS && a->scalar.size == 1);
}

/* What a table takes at most without its strings and vectors. */
static unsigned fixed_bytes(const struct table *t)
{
	unsigned n = TABLE_OVERHEAD + VTABLE_OVERHEAD, last_id = 0;
	for (uint32_t i = 0; i < t->fields_n; i++) {
		n += t->fields[i].size;
		if (is_string(&t->fields[i]))
			n += 8; /* length, NUL and padding */
		last_id = t->fields[i].id;
	}
	return n + 2 * (last_id + 1);
}

static void emit_bytes_max(FILE *f, const struct table *t)
{
	uint32_t scalars_n = 0;

	fprintf(f, "uint32_t %s_in_bytes_max(const struct %s_in *in)\n{\n\tuint64_t n = %u;\n",
		t->name, t->name, fixed_bytes(t));
	for (uint32_t i = 0; i < t->fields_n; i++) {
		const struct field *a = &t->fields[i];
		scalars_n += a->kind == FB_SCALAR;
		if (is_string(a))
			fprintf(f, "\tn += in->%s.n;\n", a->name);
		else if (a->kind == FB_SCALARS)
			fprintf(f, "\tn += in->%s_n ? 12 + UINT64_C(%u) * in->%s_n : 0;\n", a->name,
				a->scalar.size, a->name);
		else if (a->kind != FB_SCALAR)
			fprintf(f,
				"\tn += 4;\n\tfor (uint32_t i = 0; i < in->%s_n; i++)\n\t\tn += ",
				a->name);
		if (a->kind == FB_STRINGS)
			fprintf(f, "12 + in->%s[i].n;\n", a->name);
		else if (a->kind == FB_TABLES)
			fprintf(f, "%s_in_bytes_max(&in->%s[i]);\n", a->table->name, a->name);
	}
	if (scalars_n == t->fields_n)
		fprintf(f, "\t(void)in;\n");
	fprintf(f, "\treturn fb_bytes_max(n);\n}\n\n");
}

/* Whether a field is there: the condition, or NULL for one that always is. */
static void emit_present(FILE *f, const struct field *a, const char *of)
{
	if (a->required && a->kind != FB_SCALAR) {
		fprintf(f, "\t{\n");
	} else if (a->kind == FB_SCALAR) {
		fprintf(f, "\tif (%s%s != ", of, a->name);
		emit_literal(f, a);
		fprintf(f, ") {\n");
	} else {
		fprintf(f, "\tif (%s%s%s) {\n", of, a->name, is_string(a) ? ".n" : "_n");
	}
}

static void emit_inline_field(FILE *f, const struct field *a, const char *of)
{
	emit_present(f, a, of);
	if (a->kind == FB_SCALAR)
		fprintf(f, "\t\tp = fb_put_%s(p, (uint%u_t)%s%s);\n", a->scalar.bits,
			8u * a->scalar.size, of, a->name);
	else if (is_string(a))
		fprintf(f, "\t\trefs[refs_n++] = (struct fb_ref){ p, &%s%s };\n\t\tp += 4;\n", of,
			a->name);
	else
		fprintf(f, "\t\t%s_at = p;\n\t\tp += 4;\n", a->name);
	fprintf(f, "\t\tpresent |= UINT64_C(1) << %u;\n\t}\n", a->id);
}

static void emit_inline_fields(FILE *f, const struct table *t, const char *of)
{
	for (unsigned size = 8; size; size /= 2)
		for (uint32_t i = 0; i < t->fields_n; i++)
			if (t->fields[i].size == size && !(t->is_batch && i == 0))
				emit_inline_field(f, &t->fields[i], of);
}

static void emit_vector(FILE *f, const struct field *a)
{
	const char *n = a->name;

	fprintf(f, "\tif (%s_at)", n);
	if (a->kind == FB_SCALARS) {
		fprintf(f, "\n\t\tfb_scalars_write(w, %s_at, in->%s, in->%s_n, %u);\n", n, n, n,
			a->scalar.size);
	} else if (a->kind == FB_STRINGS) {
		fprintf(f, "\n\t\tfb_string_vector_write(w, %s_at, in->%s, in->%s_n);\n", n, n, n);
	} else {
		fprintf(f,
			" {\n\t\tuint32_t slots = fb_slots_write(w, %s_at, in->%s_n);\n"
			"\t\tfor (uint32_t i = 0; i < in->%s_n; i++)\n"
			"\t\t\tfb_slot_set(w, slots + 4 * i, %s_write(w, &in->%s[i]));\n\t}\n",
			n, n, n, a->table->name, n);
	}
}

static void emit_table_write(FILE *f, const struct table *t)
{
	unsigned refs = 0;

	fprintf(f,
		"uint32_t %s_write(struct fb_writer *w, const struct %s_in *in)\n{\n"
		"\tuint32_t pos = fb_table_begin(w, %s_in_bytes_max(in));\n"
		"\tif (pos == 0)\n\t\treturn 0;\n"
		"\tuint8_t *p = w->buf + pos + 4;\n\tuint64_t present = 0;\n",
		t->name, t->name, t->name);
	for (uint32_t i = 0; i < t->fields_n; i++) {
		if (is_string(&t->fields[i]))
			refs++;
		else if (t->fields[i].kind != FB_SCALAR)
			fprintf(f, "\tuint8_t *%s_at = NULL;\n", t->fields[i].name);
	}
	if (refs)
		fprintf(f, "\tstruct fb_ref refs[%u];\n\tuint32_t refs_n = 0;\n", refs);
	fprintf(f, "\n");
	emit_inline_fields(f, t, "in->");
	fprintf(f, "\tfb_strings_write(w, p, %s);\n", refs ? "refs, refs_n" : "NULL, 0");
	for (uint32_t i = 0; i < t->fields_n; i++)
		if (t->fields[i].kind != FB_SCALAR && !is_string(&t->fields[i]))
			emit_vector(f, &t->fields[i]);
	fprintf(f, "\tfb_table_end(w, &%s_type, pos, present);\n\treturn pos;\n}\n\n", t->name);
}

static void emit_file_id(FILE *f, const struct model *m)
{
	fprintf(f, m->file_id[0] ? "\"%s\"" : "NULL%s", m->file_id);
}

static void emit_build(FILE *f, const struct model *m, const struct table *t)
{
	fprintf(f,
		"enum err %s_build(void *buf, uint32_t cap, const struct %s_in *in, "
		"uint32_t *out_n)\n{\n\tstruct fb_writer w;\n\tfb_begin(&w, buf, cap, ",
		t->name, t->name);
	emit_file_id(f, m);
	fprintf(f, ");\n\treturn fb_finish(&w, %s_write(&w, in), out_n);\n}\n\n", t->name);
}

/* The root of a batch is written like any table, but its vector of rows is always there. */
static void emit_batch(FILE *f, const struct model *m, const struct table *t)
{
	const struct field *rows = &t->fields[0];

	fprintf(f, "void %s_begin(struct fb_writer *w, void *buf, uint32_t cap, uint32_t rows_cap",
		t->name);
	emit_batch_arguments(f, t);
	fprintf(f, ")\n{\n\tfb_begin(w, buf, cap, ");
	emit_file_id(f, m);
	fprintf(f,
		");\n\tuint32_t pos = fb_table_begin(w, fb_bytes_max(%u + UINT64_C(4) * "
		"rows_cap));\n"
		"\tif (pos == 0) {\n\t\tw->n = 0;\n\t\treturn;\n\t}\n"
		"\tuint8_t *p = w->buf + pos + 4;\n\tuint64_t present = 1;\n\n",
		fixed_bytes(t) + 8);
	for (unsigned size = 8; size; size /= 2)
		for (uint32_t i = 0; i < t->fields_n; i++) {
			if (t->fields[i].size != size)
				continue;
			if (i == 0)
				fprintf(f, "\tuint8_t *%s_at = p;\n\tp += 4;\n", rows->name);
			else
				emit_inline_field(f, &t->fields[i], "");
		}
	fprintf(f,
		"\tfb_strings_write(w, p, NULL, 0);\n"
		"\tfb_table_end(w, &%s_type, pos, present);\n"
		"\tfb_rows_write(w, %s_at, rows_cap);\n"
		"\tfb_put_u32(w->buf, pos);\n}\n\n",
		t->name, rows->name);
	fprintf(f,
		"void %s_add(struct fb_writer *w, const struct %s_in *in)\n{\n"
		"\tif (fb_row_begin(w))\n\t\tfb_row_end(w, %s_write(w, in));\n}\n\n",
		t->name, rows->table->name, rows->table->name);
}

void emit_writer(FILE *f, const struct model *m, const struct table *t)
{
	if (t->is_batch) {
		emit_batch(f, m, t);
		return;
	}
	emit_bytes_max(f, t);
	emit_table_write(f, t);
	emit_build(f, m, t);
}
