/* SPDX-License-Identifier: MIT */
/* The writers: what the table refers to, by id; then its fields by falling size; then the vtable.
 */
#include <string.h>

#include "fbgen.h"

/* Offset of the vtable, padding behind and before, slot in a vector; of a root: the head, with what
 * the memory's end lacks to a multiple of 8. */
#define TABLE_OVERHEAD 40
#define VTABLE_OVERHEAD 8 /* its two lengths, padding */

static bool is_string(const struct field *a)
{
	return a->kind == FB_STRING || (a->kind == FB_SCALARS && a->scalar.size == 1);
}

/* What the fields of a table and its vtable take at most. */
static unsigned inline_bytes(const struct table *t)
{
	unsigned n = TABLE_OVERHEAD + VTABLE_OVERHEAD, last_id = 0;
	for (uint32_t i = 0; i < t->fields_n; i++) {
		n += t->fields[i].size;
		last_id = t->fields[i].id;
	}
	return n + 2 * (last_id + 1);
}

/* The same, and what strings take beside their bytes: length, NUL and padding. */
static unsigned fixed_bytes(const struct table *t)
{
	unsigned n = inline_bytes(t);
	for (uint32_t i = 0; i < t->fields_n; i++)
		n += is_string(&t->fields[i]) ? 8 : 0;
	return n;
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

static void emit_inline_fields(FILE *f, const struct table *t)
{
	const struct field *fields[FB_FIELDS_MAX];
	uint32_t n = fields_in_order(t, fields);
	bool refs = false; /* they are put all at once */
	for (uint32_t i = 0; i < n; i++) {
		const struct field *a = fields[i];
		if (a->kind != FB_SCALAR) {
			fprintf(f, "%s", refs ? "" : "\tp = fb_put_refs(w, p, refs, refs_n);\n");
			refs = true;
			continue;
		}
		emit_present(f, a, "in->");
		fprintf(f, "\t\tp = fb_put_%s(p, (uint%u_t)in->%s);\n", a->scalar.bits,
			8u * a->scalar.size, a->name);
		fprintf(f, "\t\tpresent |= UINT64_C(1) << %u;\n\t}\n", a->id);
	}
}

/* The call for a field that repeats, up to its number. */
static const char *share(const struct table *t)
{
	return has_alike(t) ? "repeat(w, alike, " : "share(w, ";
}

static void emit_string(FILE *f, const struct table *t, const struct field *a)
{
	const char *n = a->name;
	for (uint32_t i = 0; i < t->fields_n && a->like[0]; i++)
		if (strcmp(t->fields[i].name, a->like) == 0)
			fprintf(f,
				"\t\trefs[refs_n++] = fb_string_like(w, in->%s, in->%s, %s_at);\n",
				n, a->like, a->like);
	if (a->shared)
		fprintf(f, "\t\trefs[refs_n++] = fb_string_%s%u, in->%s);\n", share(t),
			a->shared - 1u, n);
	else if (!a->like[0])
		fprintf(f, "\t\trefs[refs_n++] = fb_string_write(w, in->%s);\n", n);
	for (uint32_t i = 0; i < t->fields_n; i++)
		if (strcmp(t->fields[i].like, n) == 0) {
			fprintf(f, "\t\t%s_at = refs[refs_n - 1];\n", n);
			break;
		}
}

static void emit_vector(FILE *f, const struct table *t, const struct field *a)
{
	const char *n = a->name;
	char write[32] = "write(w";

	if (a->kind == FB_SCALARS) {
		if (a->shared)
			snprintf(write, sizeof write, "%s%u", share(t), a->shared - 1u);
		fprintf(f, "\t\trefs[refs_n++] = fb_scalars_%s, in->%s, in->%s_n, %u);\n", write, n,
			n, a->scalar.size);
		return;
	}
	fprintf(f,
		"\t\tuint8_t *slots = w->floor;\n"
		"\t\tfor (uint32_t i = 0; i < in->%s_n; i++)\n",
		n);
	if (a->kind == FB_STRINGS)
		fprintf(f, "\t\t\tfb_slot_add_string(w, in->%s[i], %s);\n", n,
			a->shared ? "true" : "false");
	else
		fprintf(f, "\t\t\tfb_slot_add(w, %s_write(w, &in->%s[i]));\n", a->table->name, n);
	fprintf(f, "\t\trefs[refs_n++] = fb_slots_write(w, slots);\n");
}

static void emit_refs(FILE *f, const struct table *t)
{
	for (uint32_t i = 0; i < t->fields_n; i++) {
		const struct field *a = &t->fields[i];
		if (a->kind == FB_SCALAR)
			continue;
		emit_present(f, a, "in->");
		if (is_string(a))
			emit_string(f, t, a);
		else
			emit_vector(f, t, a);
		fprintf(f, "\t\tpresent |= UINT64_C(1) << %u;\n\t}\n", a->id);
	}
}

/* The places of what other fields are like. */
static void emit_like_places(FILE *f, const struct table *t)
{
	for (uint32_t i = 0; i < t->fields_n; i++)
		for (uint32_t k = i + 1; k < t->fields_n; k++)
			if (strcmp(t->fields[k].like, t->fields[i].name) == 0) {
				fprintf(f, "\tuint32_t %s_at;\n", t->fields[i].name);
				break;
			}
}

static void emit_table_write(FILE *f, const struct table *t)
{
	unsigned refs = 0;
	for (uint32_t i = 0; i < t->fields_n; i++)
		refs += t->fields[i].kind != FB_SCALAR;

	fprintf(f, "uint32_t %s_write(struct fb_writer *w, const struct %s_in *in)\n{\n", t->name,
		t->name);
	if (refs)
		fprintf(f, "\tuint32_t refs[%u], refs_n = 0;\n", refs);
	if (has_alike(t))
		fprintf(f, "\tbool alike = fb_alike(w, in->alike);\n");
	emit_like_places(f, t);
	fprintf(f, "\tuint64_t present = 0;\n");
	emit_refs(f, t);
	fprintf(f,
		"\tuint8_t *p = fb_table_begin(w, %u);\n"
		"\tif (!p)\n\t\treturn 0;\n",
		inline_bytes(t));
	emit_inline_fields(f, t);
	fprintf(f, "\treturn fb_table_end(w, &%s_type, p, present);\n}\n\n", t->name);
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

/* The root of a batch is written when it ends. */
static void emit_batch(FILE *f, const struct model *m, const struct table *t)
{
	const char *row = t->fields[0].table->name;

	fprintf(f, "void %s_begin(struct fb_writer *w, void *buf, uint32_t cap", t->name);
	emit_batch_arguments(f, t);
	fprintf(f, ")\n{\n\tconst uint64_t fields[] = { 0");
	for (uint32_t i = 1; i < t->fields_n; i++)
		fprintf(f, ", (uint64_t)%s", t->fields[i].name);
	fprintf(f, " };\n\tuint64_t present = 1;\n");
	for (uint32_t i = 1; i < t->fields_n; i++) {
		fprintf(f, "\tpresent |= (uint64_t)(%s != ", t->fields[i].name);
		emit_literal(f, &t->fields[i]);
		fprintf(f, ") << %u;\n", i);
	}
	fprintf(f, "\tfb_batch_begin(w, buf, cap, ");
	emit_file_id(f, m);
	fprintf(f, ", &%s_type, fields, present);\n}\n\n", t->name);
	fprintf(f,
		"void %s_add(struct fb_writer *w, const struct %s_in *in)\n{\n"
		"\tif (fb_row_begin(w))\n\t\tfb_row_end(w, %s_write(w, in));\n}\n\n",
		t->name, row, row);
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
