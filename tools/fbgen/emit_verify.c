/* SPDX-License-Identifier: MIT */
/* The table types that the runtime's verifier and vtable writer work from. */
#include <string.h>

#include "fbgen.h"

static const char *const kind_names[] = {
	[FB_SCALAR] = "FB_SCALAR",   [FB_STRING] = "FB_STRING", [FB_SCALARS] = "FB_SCALARS",
	[FB_STRINGS] = "FB_STRINGS", [FB_TABLES] = "FB_TABLES",
};

static void emit_field_type(FILE *f, const struct table *t, const struct field *a)
{
	fprintf(f, "\t{ .id = %u, .kind = %s, .size = %u", a->id, kind_names[a->kind], a->size);
	if (a->kind == FB_SCALARS)
		fprintf(f, ", .element_size = %u", a->scalar.size);
	if (a->required)
		fprintf(f, ", .required = true");
	if (a->shared)
		fprintf(f, ", .shared = %u", a->shared);
	for (uint32_t i = 0; i < t->fields_n && a->like[0]; i++)
		if (strcmp(t->fields[i].name, a->like) == 0)
			fprintf(f, ", .like = %u", t->fields[i].id + 1u);
	if (a->table)
		fprintf(f, ", .table = &%s_type", a->table->name);
	fprintf(f, " },\n");
}

uint32_t fields_in_order(const struct table *t, const struct field *out[FB_FIELDS_MAX])
{
	uint32_t n = 0;
	for (unsigned size = 8; size; size /= 2)
		for (unsigned scalars = 0; scalars < 2; scalars++)
			for (uint32_t i = 0; i < t->fields_n; i++) {
				const struct field *a = &t->fields[i];
				if (a->size == size && (a->kind == FB_SCALAR) == scalars)
					out[n++] = a;
			}
	return n;
}

void emit_type(FILE *f, const struct table *t)
{
	fprintf(f, "static const struct fb_field_type %s_fields[] = {\n", t->name);
	const struct field *fields[FB_FIELDS_MAX];
	uint32_t n = fields_in_order(t, fields);
	for (uint32_t i = 0; i < n; i++)
		emit_field_type(f, t, fields[i]);
	fprintf(f, "};\nconst struct fb_table_type %s_type = { \"%s\", %s_fields, %u };\n\n",
		t->name, t->schema_name, t->name, t->fields_n);
}

void emit_verifier(FILE *f, const struct model *m, const struct table *t)
{
	fprintf(f,
		"enum err %s_verify(struct span buf, struct fb_table *out_root)\n{\n"
		"\treturn fb_verify(buf, &%s_type, ",
		t->name, t->name);
	fprintf(f, m->file_id[0] ? "\"%s\"" : "NULL%s", m->file_id);
	fprintf(f, ", out_root);\n}\n\n");
}
